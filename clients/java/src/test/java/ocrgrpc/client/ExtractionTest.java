package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.Code;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import ocrgrpc.v1.PageFinished;
import ocrgrpc.v1.UploadExtractResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an extraction does when calls break off or are refused. */
@Timeout(60)
final class ExtractionTest {
  private static final Source SOURCE = Source.of(new byte[3], "a");

  private final FakeOcr ocr = new FakeOcr();

  @Test
  void aBrokenStreamGoesOnAfterTheLastEvent() throws IOException {
    ocr.answer(Status.UNAVAILABLE.asException(), FakeOcr.STARTED, FakeOcr.delta(2));
    ocr.answer(Status.INTERNAL.asException());
    ocr.answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 0.01));
    ocr.answer(
        FakeService.error(Code.UNAVAILABLE, "SHUTTING_DOWN", 0),
        FakeOcr.delta(2),
        FakeOcr.delta(3));
    ocr.answer(null, FakeOcr.delta(4), FakeOcr.finished(5));
    assertEquals(List.of(1, 2, 3, 4, 5), read(SOURCE));
    assertEquals(List.of("upload", "resume 2", "resume 2", "resume 2", "resume 3"), ocr.calls());
  }

  @Test
  void anErrorOfTheServiceEndsTheStream() throws IOException {
    ocr.answer(
        FakeService.error(Code.ABORTED, "EXTRACTION_RESUMED", 0),
        FakeOcr.STARTED,
        FakeOcr.delta(2));
    OcrException error = assertThrows(OcrException.class, () -> read(SOURCE));
    assertEquals("EXTRACTION_RESUMED", error.reason());
    assertEquals("7", error.metadata().get("limit"));
  }

  @Test
  void patienceEnds() throws IOException {
    ocr.answer(Status.UNAVAILABLE.asException(), FakeOcr.STARTED);
    for (int each = 0; each < 50; each++) {
      ocr.answer(Status.INTERNAL.withDescription("gone").asException());
    }
    ExtractSettings settings = ExtractSettings.DEFAULT.withPatience(Duration.ofMillis(500));
    OcrException error = assertThrows(OcrException.class, () -> read(SOURCE, settings));
    assertEquals(Status.Code.INTERNAL, error.code());
  }

  @Test
  void anUploadThatDidNotBeginIsSentAgain() throws IOException {
    ocr.answer(Status.UNAVAILABLE.asException());
    ocr.answer(
        FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 0.01), FakeOcr.FAILED);
    ocr.answer(null, FakeOcr.STARTED, FakeOcr.finished(2));
    assertEquals(List.of(1, 2), read(Source.of(new byte[1 << 20], "a")));
    assertEquals(List.of("upload", "upload", "upload"), ocr.calls());
    assertEquals(3L << 20, ocr.bytes());
  }

  @Test
  void anUploadIsSentAsOftenAsThePolicyAllows() throws IOException {
    for (int each = 0; each < 20; each++) {
      ocr.answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 0.01));
    }
    assertThrows(OcrException.class, () -> read(SOURCE));
    assertEquals(5, ocr.calls().size());
  }

  @Test
  void aStreamOfTheCallerIsSentOnce() throws IOException {
    ocr.answer(Status.UNAVAILABLE.asException());
    Source source = Source.of(new ByteArrayInputStream(new byte[3]), "a");
    assertThrows(OcrException.class, () -> read(source));
    assertEquals(List.of("upload"), ocr.calls());
  }

  @Test
  void aTimeoutIsNotSpentWaitingToComeAgain() throws IOException {
    ocr.answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 15), FakeOcr.FAILED);
    ExtractSettings settings = ExtractSettings.DEFAULT.withTimeout(Duration.ofSeconds(10));
    long beginNanos = System.nanoTime();
    OcrException error = assertThrows(OcrException.class, () -> read(SOURCE, settings));
    assertEquals("TOO_MANY_STREAMS", error.reason());
    assertTrue(System.nanoTime() - beginNanos < TimeUnit.SECONDS.toNanos(9));
  }

  @Test
  void aPageMayHaveThirtyMegabytesOfText() throws IOException {
    String text = "😀".repeat(30_000_000 / 4);
    UploadExtractResponse page =
        UploadExtractResponse.newBuilder()
            .setSequence(2)
            .setPageFinished(PageFinished.newBuilder().setPageNumber(1).setText(text))
            .build();
    ocr.answer(null, FakeOcr.STARTED, page, FakeOcr.finished(3));
    try (FakeService service = new FakeService(ocr);
        OcrClient client = service.client()) {
      assertEquals(text, client.read(SOURCE, ExtractSettings.DEFAULT).text());
    }
  }

  private List<Integer> read(Source source) throws IOException {
    return read(source, ExtractSettings.DEFAULT);
  }

  private List<Integer> read(Source source, ExtractSettings settings) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    try (FakeService service = new FakeService(ocr);
        OcrClient client = service.client();
        Extraction extraction = client.extract(source, settings)) {
      for (UploadExtractResponse event : extraction) {
        numbers.add(event.getSequence());
      }
    }
    return numbers;
  }
}
