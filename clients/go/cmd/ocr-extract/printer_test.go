package main

import (
	"bufio"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	ocr "ocr-grpc/clients/go"
)

const (
	started     = `{"started": {"document_page_count": 2}}`
	firstHalf   = `{"delta": {"page_number": 1, "revision": 1, "text": "one"}}`
	secondHalf  = `{"delta": {"page_number": 1, "revision": 1, "text": "\nmore"}}`
	otherPage   = `{"delta": {"page_number": 2, "revision": 1, "text": "two"}}`
	again       = `{"retract": {"page_number": 1, "revision": 1, "offset": 0}}`
	firstEnded  = `{"page_finished": {"page_number": 1, "revision": 1, "outcome": "PAGE_OUTCOME_OK", "text": "one\nmore"}}`
	secondEnded = `{"page_finished": {"page_number": 2, "revision": 1, "outcome": "PAGE_OUTCOME_OK", "text": "two"}}`
)

func TestPagesArePrintedInOrderWhileTheyAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		events  []string
		printed string
	}{
		"while it comes":      {[]string{started, firstHalf}, "one"},
		"in order":            {[]string{started, firstHalf, otherPage, secondEnded, secondHalf, firstEnded}, "one\nmore\n\ftwo\n"},
		"later pages wait":    {[]string{started, otherPage, secondEnded, firstHalf}, "one"},
		"read again the same": {[]string{started, firstHalf, again, firstHalf, secondHalf}, "one\nmore"},
		"read again otherwise": {[]string{started, otherPage, `{"delta": {"page_number": 1, "revision": 1, "text": "onc"}}`,
			again, firstHalf, firstEnded, secondEnded}, "onc\none\nmore\n\ftwo\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var printed strings.Builder
			out := bufio.NewWriter(&printed)
			printer := newPrinter(out)
			for _, text := range test.events {
				var event ocr.Event
				if err := protojson.Unmarshal([]byte(text), &event); err != nil {
					t.Fatal(err)
				}
				printer.event(&event)
			}
			out.Flush()
			if printed.String() != test.printed {
				t.Fatalf("%q", printed.String())
			}
		})
	}
}
