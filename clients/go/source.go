package ocr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
)

// pieceBytes is how much of a document goes in one message.
const pieceBytes = 256 << 10

// A Source is a document to send. It is read piece by piece, as fast as the network takes it.
type Source struct {
	name string
	// open returns the content from its beginning, and its size in bytes, 0 if that is not known.
	open func() (io.ReadCloser, int64, error)
	// Whether open works more than once, so that a call that broke can be made again.
	again bool
}

// File is the document in a file. It is opened for each attempt to send it.
func File(path string) Source {
	return Source{name: filepath.Base(path), again: true, open: func() (io.ReadCloser, int64, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, 0, err
		}
		about, err := file.Stat()
		if err != nil {
			return nil, 0, errors.Join(err, file.Close())
		}
		if !about.Mode().IsRegular() {
			return file, 0, nil
		}
		return file, about.Size(), nil
	}}
}

// Bytes is a document in memory. Its name may be empty; the ending tells text formats apart.
func Bytes(name string, content []byte) Source {
	return Source{name: name, again: true, open: func() (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(content)), int64(len(content)), nil
	}}
}

// Reader is a document of unknown size. It is read to its end, once: a call that breaks before the
// document was opened is not made again. The reader is not closed. After a call that failed or was
// left early it may still be read from until its Read returns.
func Reader(name string, content io.Reader) Source {
	var taken atomic.Bool
	return Source{name: name, open: func() (io.ReadCloser, int64, error) {
		if taken.Swap(true) {
			return nil, 0, errors.New("ocr: a Reader can be sent once")
		}
		return io.NopCloser(content), 0, nil
	}}
}

// sendPieces sends what a reader has, and closes it. The first piece is sent even if it is empty.
// push says io.EOF if the call has ended; that is no error here, as receiving tells why it did.
func sendPieces(content io.ReadCloser, push func(piece []byte) error) error {
	defer content.Close()
	for first := true; ; first = false {
		piece, err := readPiece(content)
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
	content io.ReadCloser, push func(piece []byte) error, end func() error,
	cancel context.CancelCauseFunc,
) {
	err := sendPieces(content, push)
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
// io.ReadFull would make a reader that was cut off look like one that ended.
func readPiece(content io.Reader) ([]byte, error) {
	piece := make([]byte, pieceBytes)
	length := 0
	for length < len(piece) {
		read, err := content.Read(piece[length:])
		length += read
		if err != nil {
			return piece[:length], err
		}
	}
	return piece, nil
}
