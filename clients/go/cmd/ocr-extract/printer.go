package main

import (
	"bufio"
	"strings"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

// A printer prints pages in their order, a form feed between them: the page at hand while its text
// comes, though later ones may be read at the same time.
//
// Text that was printed cannot be taken back. A page that is read again is printed on from where it
// stood, or, should it read differently this time, once more.
type printer struct {
	out       *bufio.Writer
	assembler ocr.Assembler
	page      int32 // the one at hand
	printed   string
}

func newPrinter(out *bufio.Writer) *printer {
	return &printer{out: out, page: 1}
}

// event takes the next event in and prints what may be printed.
func (p *printer) event(event *ocr.Event) {
	p.assembler.Add(event)
	for {
		page := p.assembler.Page(p.page)
		ended := page.GetOutcome() != ocrv1.PageOutcome_PAGE_OUTCOME_UNSPECIFIED
		p.print(page.GetText(), ended)
		if !ended {
			return
		}
		p.out.WriteString("\n")
		p.page++
		p.printed = ""
		if p.page <= p.assembler.Document().PageCount {
			p.out.WriteString("\f")
		}
	}
}

func (p *printer) print(text string, ended bool) {
	if more, found := strings.CutPrefix(text, p.printed); found {
		p.out.WriteString(more)
		p.printed = text
	} else if ended && text != "" {
		p.out.WriteString("\n" + text)
		p.printed = text
	}
}
