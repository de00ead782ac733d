package ocrgrpc.client;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import ocrgrpc.v1.ExtractionFinished;
import ocrgrpc.v1.ExtractionStarted;
import ocrgrpc.v1.Page;
import ocrgrpc.v1.PageFinished;
import ocrgrpc.v1.UploadExtractResponse;

/** Puts the events of an extraction, in the order they came, together again. For one thread. */
public final class DocumentAssembler {
  private final Map<Integer, PageAssembler> open = new TreeMap<>();
  private final Map<Integer, Page> ended = new TreeMap<>();
  private ExtractionStarted started = ExtractionStarted.getDefaultInstance();
  private ExtractionFinished finished = ExtractionFinished.getDefaultInstance();

  /** Takes the next event in. */
  public void add(UploadExtractResponse event) {
    switch (event.getEventCase()) {
      case STARTED -> started = event.getStarted();
      case PAGE_STARTED ->
          page(event.getPageStarted().getPageNumber()).start(event.getPageStarted());
      case DELTA -> page(event.getDelta().getPageNumber()).append(event.getDelta());
      case RETRACT -> page(event.getRetract().getPageNumber()).retract(event.getRetract());
      case PAGE_FINISHED -> finish(event.getPageFinished());
      case FINISHED -> finished = event.getFinished();
      default -> {
        // Pictures are not kept, and new events may be added.
      }
    }
  }

  /** Returns the text of a page as far as it is known. Empty before its first delta. */
  public String text(int pageNumber) {
    Page page = ended.get(pageNumber);
    return page == null ? page(pageNumber).text() : page.getText();
  }

  /** Returns the document with the pages that ended until now. */
  public Document document() {
    return new Document(
        started.getExtractionId(),
        started.getKind(),
        started.getDocumentPageCount(),
        List.copyOf(ended.values()),
        finished.getUsage(),
        finished.getPagesOk(),
        finished.getPagesDegraded(),
        finished.getPagesFailed(),
        Duration.ofNanos(Math.round(finished.getDurationSeconds() * 1e9)));
  }

  private PageAssembler page(int number) {
    return open.computeIfAbsent(number, each -> new PageAssembler());
  }

  private void finish(PageFinished event) {
    Page page = page(event.getPageNumber()).finish(event);
    open.remove(event.getPageNumber());
    ended.put(event.getPageNumber(), page);
  }
}
