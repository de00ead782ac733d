package ocr

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/genproto/googleapis/api/httpbody"

	"ocr-grpc/clients/go/ocrv1"
)

// SaveDocument is DownloadDocument to a file, which is there as a whole or not at all.
func (c *Client) SaveDocument(
	ctx context.Context, batchID, documentID string, format ocrv1.ResultFormat, path string,
) error {
	return save(path, func(to io.Writer) error {
		return c.DownloadDocument(ctx, batchID, documentID, format, to)
	})
}

// SaveBatch is DownloadBatch to a file, which is there as a whole or not at all.
func (c *Client) SaveBatch(
	ctx context.Context, batchID string, format ocrv1.ResultFormat, path string,
) error {
	return save(path, func(to io.Writer) error {
		return c.DownloadBatch(ctx, batchID, format, to)
	})
}

// A part is the next piece of a file.
type part interface {
	GetContent() *httpbody.HttpBody
}

func write[P part](stream interface{ Recv() (P, error) }, to io.Writer) error {
	for {
		next, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := to.Write(next.GetContent().GetData()); err != nil {
			return err
		}
	}
}

// save has a file written beside its place and puts it there once it is whole.
func save(path string, fill func(io.Writer) error) error {
	beside := filepath.Join(filepath.Dir(path), "."+rand.Text())
	// Not os.CreateTemp, whose files others may not read.
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = errors.Join(fill(file), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
