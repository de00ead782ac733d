package ocr

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ocr-grpc/clients/go/ocrv1"
)

// A Document is what was read of one.
type Document struct {
	// ExtractionID names the extraction, in logs and support requests.
	ExtractionID string
	// Kind is the format of the document.
	Kind ocrv1.DocumentKind
	// PageCount is how many pages the document has, whatever was asked for.
	PageCount int32
	// Pages are those asked for, in ascending order. One that failed says why in its Reason.
	Pages []*ocrv1.Page
	// Usage is what all pages consumed together.
	Usage *ocrv1.Usage
	// PagesOK, PagesDegraded and PagesFailed count the pages by how they ended.
	PagesOK, PagesDegraded, PagesFailed int32
	// Duration is the time from the whole document's arrival at the service to its last event.
	Duration time.Duration
}

// Text returns the text of all pages that were read, a form feed between pages.
func (d *Document) Text() string {
	var texts []string
	for _, page := range d.Pages {
		if page.GetOutcome() != ocrv1.PageOutcome_PAGE_OUTCOME_FAILED {
			texts = append(texts, page.GetText())
		}
	}
	return strings.Join(texts, "\f")
}

// An Assembler puts a document together from its events, fed to it in their order. Its zero value is
// empty. What it returns may be looked at at any time, and is the assembler's own.
type Assembler struct {
	document Document
	pages    map[int32]*openPage
}

// An openPage is one of which not everything is known.
type openPage struct {
	page     *ocrv1.Page
	readings map[int32]*reading // by revision; nil once it finished
	highest  int32
}

// A reading is the text of one revision of a page.
type reading struct {
	text   []rune // offsets count Unicode code points
	lines  []*ocrv1.Line
	ends   []int // where each line ends in the text
	blocks []*ocrv1.Block
}

// Add takes the next event in.
func (a *Assembler) Add(event *Event) {
	switch happened := event.GetEvent().(type) {
	case *ocrv1.UploadExtractResponse_Started:
		a.document.ExtractionID = happened.Started.GetExtractionId()
		a.document.Kind = happened.Started.GetKind()
		a.document.PageCount = happened.Started.GetDocumentPageCount()
	case *ocrv1.UploadExtractResponse_PageStarted:
		page := a.open(happened.PageStarted.GetPageNumber()).page
		page.WidthPx = happened.PageStarted.GetWidthPx()
		page.HeightPx = happened.PageStarted.GetHeightPx()
		page.Dpi = happened.PageStarted.GetDpi()
		page.TextFormat = happened.PageStarted.GetTextFormat()
	case *ocrv1.UploadExtractResponse_Delta:
		delta := happened.Delta
		a.open(delta.GetPageNumber()).reading(delta.GetRevision()).add(delta)
	case *ocrv1.UploadExtractResponse_Retract:
		retract := happened.Retract
		page := a.open(retract.GetPageNumber())
		page.reading(retract.GetRevision()).cut(int(retract.GetOffset()))
	case *ocrv1.UploadExtractResponse_PageFinished:
		a.open(happened.PageFinished.GetPageNumber()).finish(happened.PageFinished)
	case *ocrv1.UploadExtractResponse_Finished:
		finished := happened.Finished
		a.document.Usage = finished.GetUsage()
		a.document.PagesOK = finished.GetPagesOk()
		a.document.PagesDegraded = finished.GetPagesDegraded()
		a.document.PagesFailed = finished.GetPagesFailed()
		a.document.Duration = time.Duration(finished.GetDurationSeconds() * float64(time.Second))
	}
}

// Page returns a page as far as it is known: the text of its highest revision, and once it has
// ended its Outcome and all the rest. nil if nothing is known of it.
func (a *Assembler) Page(number int32) *ocrv1.Page {
	open, known := a.pages[number]
	if !known {
		return nil
	}
	if open.readings != nil {
		open.show(open.readings[open.highest])
	}
	return open.page
}

// Document returns the document as far as it is known, with every page of which something is.
func (a *Assembler) Document() *Document {
	document := a.document
	for number := range a.pages {
		document.Pages = append(document.Pages, a.Page(number))
	}
	slices.SortFunc(document.Pages, func(one, other *ocrv1.Page) int {
		return int(one.GetPageNumber() - other.GetPageNumber())
	})
	return &document
}

func (a *Assembler) open(number int32) *openPage {
	if a.pages == nil {
		a.pages = map[int32]*openPage{}
	}
	if _, known := a.pages[number]; !known {
		a.pages[number] = &openPage{
			page:     &ocrv1.Page{PageNumber: number},
			readings: map[int32]*reading{},
		}
	}
	return a.pages[number]
}

func (p *openPage) reading(revision int32) *reading {
	if p.readings == nil { // it had finished; nothing can come but what would be wrong to add
		return &reading{}
	}
	if _, known := p.readings[revision]; !known {
		p.readings[revision] = &reading{}
	}
	p.highest = max(p.highest, revision)
	return p.readings[revision]
}

// show has the page look as a reading has it; nil: empty.
func (p *openPage) show(as *reading) {
	if as == nil {
		as = &reading{}
	}
	p.page.Text, p.page.Lines, p.page.Blocks = string(as.text), as.lines, as.blocks
}

func (p *openPage) finish(finished *ocrv1.PageFinished) {
	p.show(p.readings[finished.GetRevision()]) // of a page that failed there is none
	p.readings = nil
	p.page.Outcome, p.page.Text = finished.GetOutcome(), finished.GetText()
	p.page.Usage, p.page.Provenance = finished.GetUsage(), finished.GetProvenance()
	p.page.Reason, p.page.Message = finished.GetReason(), finished.GetMessage()
	p.page.TextFormat, p.page.Blank = finished.GetTextFormat(), finished.GetBlank()
}

func (r *reading) add(delta *ocrv1.TextDelta) {
	start, rest := len(r.text), delta.GetText()
	r.text = append(r.text, []rune(rest)...)
	for _, line := range delta.GetLines() {
		// The lines of a piece stand in its text, in their order.
		if before, after, found := strings.Cut(rest, line.GetText()); found {
			start += utf8.RuneCountInString(before) + utf8.RuneCountInString(line.GetText())
			rest = after
		} else {
			start, rest = len(r.text), ""
		}
		r.lines = append(r.lines, line)
		r.ends = append(r.ends, start)
	}
	r.blocks = append(r.blocks, delta.GetBlocks()...)
}

// cut keeps so many code points, the lines that end within them and the blocks that begin there.
func (r *reading) cut(offset int) {
	offset = min(max(offset, 0), len(r.text))
	r.text = r.text[:offset]
	kept, _ := slices.BinarySearch(r.ends, offset+1)
	r.lines, r.ends = r.lines[:kept:kept], r.ends[:kept]
	r.blocks = slices.DeleteFunc(slices.Clone(r.blocks), func(block *ocrv1.Block) bool {
		return int(block.GetOffset()) >= offset
	})
}
