package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ocrgrpc.v1.ExtractionStarted;
import ocrgrpc.v1.Line;
import ocrgrpc.v1.PageFinished;
import ocrgrpc.v1.PageOutcome;
import ocrgrpc.v1.TextDelta;
import ocrgrpc.v1.TextRetract;
import ocrgrpc.v1.UploadExtractResponse;
import org.junit.jupiter.api.Test;

/** How events become a document. */
final class DocumentAssemblerTest {
  private final DocumentAssembler assembler = new DocumentAssembler();

  @Test
  void deltasAreJoined() {
    delta(1, 1, "Invoice");
    delta(2, 1, "Other");
    delta(1, 1, "\n0815");
    assertEquals("Invoice\n0815", assembler.text(1));
    assertEquals("Other", assembler.text(2));
  }

  @Test
  void aRetractCountsCodePoints() {
    delta(1, 1, "😀😀 ok");
    delta(1, 1, "\n😀 twice");
    retract(1, 1, 6);
    assertEquals("😀😀 ok\n", assembler.text(1));
    retract(1, 1, 1);
    assertEquals("😀", assembler.text(1));
    delta(1, 1, "!");
    assertEquals("😀!", assembler.text(1));
    retract(1, 1, 0);
    assertEquals("", assembler.text(1));
  }

  @Test
  void aRetractVoidsTheLinesBeyond() {
    delta(1, 1, "😀a", "😀a");
    delta(1, 1, "\nbcd", "bcd");
    delta(1, 1, "\nef", "ef");
    retract(1, 1, 6);
    finish(1, 1, "😀a\nbcd");
    assertEquals(
        "[😀a, bcd]",
        assembler.document().pages().get(0).getLinesList().stream()
            .map(Line::getText)
            .toList()
            .toString());
  }

  @Test
  void theHighestRevisionIsShown() {
    delta(1, 1, "draft", "draft");
    delta(1, 2, "fin");
    delta(1, 1, " late");
    retract(1, 1, 0);
    delta(1, 2, "al");
    assertEquals("final", assembler.text(1));
    finish(1, 2, "final");
    assertEquals(0, assembler.document().pages().get(0).getLinesCount());
  }

  @Test
  void pagesComeInTheirOrderAndFailedOnesWithoutText() {
    assembler.add(
        UploadExtractResponse.newBuilder()
            .setStarted(ExtractionStarted.newBuilder().setExtractionId("a").setDocumentPageCount(3))
            .build());
    delta(3, 1, "c");
    finish(3, 1, "c");
    delta(1, 1, "a");
    finish(1, 1, "a");
    assembler.add(
        UploadExtractResponse.newBuilder()
            .setPageFinished(
                PageFinished.newBuilder()
                    .setPageNumber(2)
                    .setOutcome(PageOutcome.PAGE_OUTCOME_FAILED)
                    .setReason("PAGE_TOO_LARGE"))
            .build());
    Document document = assembler.document();
    assertEquals("a\fc", document.text());
    assertEquals("PAGE_TOO_LARGE", document.pages().get(1).getReason());
    assertEquals(3, document.documentPageCount());
  }

  private void delta(int page, int revision, String text, String... lines) {
    TextDelta.Builder delta =
        TextDelta.newBuilder().setPageNumber(page).setRevision(revision).setText(text);
    for (String line : lines) {
      delta.addLines(Line.newBuilder().setText(line));
    }
    assembler.add(UploadExtractResponse.newBuilder().setDelta(delta).build());
  }

  private void retract(int page, int revision, int offset) {
    assembler.add(
        UploadExtractResponse.newBuilder()
            .setRetract(
                TextRetract.newBuilder()
                    .setPageNumber(page)
                    .setRevision(revision)
                    .setOffset(offset))
            .build());
  }

  private void finish(int page, int revision, String text) {
    assembler.add(
        UploadExtractResponse.newBuilder()
            .setPageFinished(
                PageFinished.newBuilder()
                    .setPageNumber(page)
                    .setRevision(revision)
                    .setText(text)
                    .setOutcome(PageOutcome.PAGE_OUTCOME_OK))
            .build());
  }
}
