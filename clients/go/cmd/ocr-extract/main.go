// Command ocr-extract prints the text of a document while it is read.
//
//	ocr-extract [--address host:port] [--tls | --ca-file FILE] [--key KEY] FILE
//
// The API key may be in OCR_API_KEY instead, where other users of the machine do not see it, and the
// address in OCR_ADDRESS. Ends with 1 and the reason if the document could not be read, with 2 if it
// was called wrongly, with 3 if some of its pages could not be read.
package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	ocr "ocr-grpc/clients/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program as usual
	address := flag.String("address", cmp.Or(os.Getenv("OCR_ADDRESS"), "127.0.0.1:50051"),
		"where the service is, `host:port`")
	key := flag.String("key", os.Getenv("OCR_API_KEY"), "an API `key` (default: OCR_API_KEY)")
	tls := flag.Bool("tls", false, "speak TLS and trust the system's authorities")
	caFile := flag.String("ca-file", "", "speak TLS and trust the certificates in a PEM `file`")
	flag.Lookup("key").DefValue = "" // or --help would show it
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	failed, err := extract(ctx, *address, options(*tls, *caFile, *key), flag.Arg(0), os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case failed > 0:
		fmt.Fprintf(os.Stderr, "%d pages could not be read.\n", failed)
		os.Exit(3)
	}
}

func options(tls bool, caFile, key string) []ocr.Option {
	var chosen []ocr.Option
	if caFile != "" {
		chosen = append(chosen, ocr.WithCAFile(caFile))
	} else if !tls {
		chosen = append(chosen, ocr.WithPlaintext())
	}
	if key != "" {
		chosen = append(chosen, ocr.WithAPIKey(key))
	}
	return chosen
}

// extract prints a document and returns how many of its pages failed.
func extract(
	ctx context.Context, address string, options []ocr.Option, path string, to io.Writer,
) (int32, error) {
	client, err := ocr.Connect(address, options...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	out := bufio.NewWriter(to)
	printer := newPrinter(out)
	failed := int32(0)
	for event, err := range client.Extract(ctx, ocr.File(path), nil) {
		if err != nil {
			return 0, err
		}
		printer.event(event)
		if err := out.Flush(); err != nil {
			return 0, err
		}
		failed = event.GetFinished().GetPagesFailed()
	}
	return failed, nil
}
