package ocr_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	ocr "ocr-grpc/clients/go"
)

// assemble feeds events, in JSON, to an assembler.
func assemble(t *testing.T, events ...string) *ocr.Assembler {
	t.Helper()
	assembler := &ocr.Assembler{}
	for _, text := range events {
		var event ocr.Event
		check(t, protojson.Unmarshal([]byte(text), &event))
		assembler.Add(&event)
	}
	return assembler
}

func TestARetractCountsCodePoints(t *testing.T) {
	for _, test := range []struct {
		offset string
		text   string
		lines  int
	}{
		{"0", "", 0},
		{"1", "😀", 0},
		{"3", "😀é😀", 1},
		{"5", "😀é😀\n東", 1},
		{"6", "😀é😀\n東京", 2},
		{"99", "😀é😀\n東京\nend", 3},
	} {
		page := assemble(t,
			`{"delta": {"page_number": 1, "revision": 1, "text": "😀é😀", "lines": [{"text": "😀é😀"}]}}`,
			`{"delta": {"page_number": 1, "revision": 1, "text": "\n東京\nend", "lines":
				[{"text": "東京"}, {"text": "end"}]}}`,
			`{"retract": {"page_number": 1, "revision": 1, "offset": `+test.offset+`}}`,
		).Page(1)
		if page.GetText() != test.text || len(page.GetLines()) != test.lines {
			t.Errorf("%s: %v", test.offset, page)
		}
	}
}

func TestTextGoesOnWhereItWasCut(t *testing.T) {
	page := assemble(t,
		`{"delta": {"page_number": 1, "revision": 1, "text": "a😀b", "lines": [{"text": "a😀b"}]}}`,
		`{"retract": {"page_number": 1, "revision": 1, "offset": 2}}`,
		`{"delta": {"page_number": 1, "revision": 1, "text": "\nc", "lines": [{"text": "c"}]}}`,
	).Page(1)
	if page.GetText() != "a😀\nc" || len(page.GetLines()) != 1 || page.GetLines()[0].GetText() != "c" {
		t.Fatal(page)
	}
}

func TestTheHighestRevisionIsShown(t *testing.T) {
	draft := []string{
		`{"delta": {"page_number": 1, "revision": 1, "text": "drafd", "lines": [{"text": "drafd"}]}}`,
		`{"delta": {"page_number": 1, "revision": 2, "text": "draft"}}`,
		`{"delta": {"page_number": 1, "revision": 1, "text": " late"}}`,
	}
	assembler := assemble(t, draft...)
	if page := assembler.Page(1); page.GetText() != "draft" || len(page.GetLines()) != 0 {
		t.Fatal(page)
	}
	if assembler.Page(2) != nil {
		t.Fatal("a page that nobody spoke of")
	}
	// The first reading counts after all, with its lines.
	page := assemble(t, append(draft, `{"page_finished": {"page_number": 1, "revision": 1,
		"outcome": "PAGE_OUTCOME_DEGRADED", "reason": "VLM_FAILED", "text": "drafd late"}}`)...).Page(1)
	if page.GetText() != "drafd late" || len(page.GetLines()) != 1 || page.GetReason() != "VLM_FAILED" {
		t.Fatal(page)
	}
}

func TestADocumentHasItsPagesInOrderAndItsSums(t *testing.T) {
	document := assemble(t,
		`{"started": {"extraction_id": "e1", "kind": "DOCUMENT_KIND_PDF", "document_page_count": 3}}`,
		`{"page_finished": {"page_number": 3, "outcome": "PAGE_OUTCOME_FAILED", "reason": "PAGE_TIMED_OUT"}}`,
		`{"page_started": {"page_number": 2, "width_px": 800, "height_px": 400}}`,
		`{"page_finished": {"page_number": 2, "outcome": "PAGE_OUTCOME_OK", "text": "two"}}`,
		`{"page_finished": {"page_number": 1, "outcome": "PAGE_OUTCOME_OK", "text": "one"}}`,
		`{"finished": {"pages_ok": 2, "pages_failed": 1, "usage": {"pages": 2}, "duration_seconds": 1.5}}`,
	).Document()
	if document.Text() != "one\ftwo" || len(document.Pages) != 3 || document.PageCount != 3 ||
		document.Pages[1].GetWidthPx() != 800 || document.Pages[2].GetReason() != "PAGE_TIMED_OUT" ||
		document.PagesFailed != 1 || document.Usage.GetPages() != 2 || document.Duration.Seconds() != 1.5 {
		t.Fatalf("%+v", document)
	}
}
