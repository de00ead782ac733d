package ocrgrpc.client;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import ocrgrpc.v1.DocumentKind;
import ocrgrpc.v1.Page;
import ocrgrpc.v1.PageOutcome;
import ocrgrpc.v1.Usage;

/**
 * A document as it was read.
 *
 * @param extractionId names the extraction, in logs and support requests
 * @param kind the format of the document
 * @param documentPageCount how many pages it has, whatever was asked for
 * @param pages those that ended, in ascending order
 * @param usage what all pages consumed together
 * @param pagesOk how many were read
 * @param pagesDegraded how many were read with less quality than asked for
 * @param pagesFailed how many could not be read
 * @param duration from the whole document's arrival to the end
 */
public record Document(
    String extractionId,
    DocumentKind kind,
    int documentPageCount,
    List<Page> pages,
    Usage usage,
    int pagesOk,
    int pagesDegraded,
    int pagesFailed,
    Duration duration) {

  /** Returns the text of all pages that were read, a form feed (U+000C) between pages. */
  public String text() {
    return pages.stream()
        .filter(page -> page.getOutcome() != PageOutcome.PAGE_OUTCOME_FAILED)
        .map(Page::getText)
        .collect(Collectors.joining("\f"));
  }
}
