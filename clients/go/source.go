package ocr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

const (
	// pieceBytes is how much of a document goes in one message.
	pieceBytes = 256 << 10
	// emptyReads is how often in a row a reader may bring neither a byte nor an error.
	emptyReads = 100
)

// A Source is a document to send. It is read piece by piece, as fast as the network takes it.
type Source struct {
	name string
	// open returns what is in it, from the beginning.
	open func() (*content, error)
}

// A content is what is in a document.
type content struct {
	io.ReadCloser
	size int64 // in bytes; 0: that is not known
	// Whether it can be opened once more, so that a call that broke can be made again.
	again bool
}

// File is the document in a file. It is opened for each attempt to send it. A pipe or a device brings
// what it has only once: it is sent as a Reader is.
func File(path string) Source {
	return Source{name: sendable(filepath.Base(path)), open: func() (*content, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		about, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if !about.Mode().IsRegular() {
			return &content{ReadCloser: file}, nil
		}
		return &content{ReadCloser: file, size: about.Size(), again: true}, nil
	}}
}

// Bytes is a document in memory. Its name may be empty; the ending tells text formats apart.
func Bytes(name string, document []byte) Source {
	return Source{name: sendable(name), open: func() (*content, error) {
		reader := io.NopCloser(bytes.NewReader(document))
		return &content{ReadCloser: reader, size: int64(len(document)), again: true}, nil
	}}
}

// Reader is a document of unknown size. It is read to its end, once: a call that breaks before the
// document was opened is not made again. The reader is not closed. After a call that failed or was
// left early it may still be read from until its Read returns.
func Reader(name string, document io.Reader) Source {
	var taken atomic.Bool
	return Source{name: sendable(name), open: func() (*content, error) {
		if taken.Swap(true) {
			return nil, errors.New("ocr: a Reader can be sent once")
		}
		return &content{ReadCloser: io.NopCloser(document)}, nil
	}}
}

// sendable returns a name as the protocol can carry it: file systems and archives take any bytes.
func sendable(name string) string {
	return strings.ToValidUTF8(name, "\uFFFD")
}

// sendPieces sends what a reader has, and closes it. The first piece is sent even if it is empty.
// push says io.EOF if the call has ended; that is no error here, as receiving tells why it did.
func sendPieces(ctx context.Context, document *content, push func(piece []byte) error) error {
	defer document.Close()
	for first := true; ; first = false {
		piece, err := readPiece(ctx, document)
		if err != nil && err != io.EOF {
			return err
		}
		if len(piece) > 0 || first {
			if sent := push(piece); sent != nil {
				if sent == io.EOF {
					return nil
				}
				return sent
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// sendAside sends what a reader has while somebody else receives. If that fails here, the call is
// cancelled, and orUnreadable says why.
func sendAside(
	ctx context.Context, document *content, push func(piece []byte) error, end func() error,
	cancel context.CancelCauseFunc,
) {
	err := sendPieces(ctx, document, push)
	if err == nil {
		err = end()
	}
	if err != nil {
		cancel(&unreadable{err})
	}
}

type unreadable struct{ error }

// orUnreadable tells a document that could not be read from a call that was cancelled.
func orUnreadable(ctx context.Context, err error) error {
	var cause *unreadable
	if err != nil && err != io.EOF && errors.As(context.Cause(ctx), &cause) {
		return cause.error
	}
	return err
}

// readPiece fills a new piece: gRPC may look at one after it was sent. Its error is the reader's own;
// io.ReadFull would make a reader that was cut off look like one that ended. A call that is over takes
// no more from a reader that is slow.
func readPiece(ctx context.Context, document io.Reader) ([]byte, error) {
	piece := make([]byte, pieceBytes)
	length, empty := 0, 0
	for length < len(piece) && ctx.Err() == nil {
		read, err := document.Read(piece[length:])
		length += read
		if err != nil {
			return piece[:length], err
		}
		if empty++; read > 0 {
			empty = 0
		}
		if empty == emptyReads {
			return nil, io.ErrNoProgress
		}
	}
	return piece[:length], ctx.Err()
}
