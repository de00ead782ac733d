package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.Code;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import ocrgrpc.v1.BatchServiceGrpc;
import ocrgrpc.v1.CreateBatchRequest;
import ocrgrpc.v1.UploadDocumentRequest;
import ocrgrpc.v1.UploadDocumentResponse;
import ocrgrpc.v1.UploadExtractResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How streams end early: closed, interrupted, or because nobody answers any more. */
@Timeout(60)
final class ClosingTest {
  private static final Source SOURCE = Source.of(new byte[3], "a");

  private final FakeOcr ocr = new FakeOcr();

  @Test
  void closingFromAnotherThreadEndsTheCall() throws Exception {
    try (FakeService service = new FakeService(ocr);
        OcrClient client = service.client()) {
      Extraction extraction = client.extract(SOURCE, ExtractSettings.DEFAULT);
      CompletableFuture<Boolean> reading = reading(extraction);
      assertTrue(ocr.called.await(30, TimeUnit.SECONDS));
      extraction.close();
      assertEquals(Status.Code.CANCELLED, error(reading).code());
      assertTrue(ocr.cancelled.await(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void closingTheClientEndsACallUnderWay() throws Exception {
    try (FakeService service = new FakeService(ocr)) {
      OcrClient client = service.client();
      CompletableFuture<Boolean> reading = reading(client.extract(SOURCE, ExtractSettings.DEFAULT));
      assertTrue(ocr.called.await(30, TimeUnit.SECONDS));
      client.close();
      assertEquals(Status.Code.CANCELLED, error(reading).code());
      assertEquals(List.of("upload"), ocr.calls());
    }
  }

  @Test
  void closingTheClientEndsTheWaitToComeAgain() throws Exception {
    ocr.answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 19), FakeOcr.FAILED);
    try (FakeService service = new FakeService(ocr)) {
      OcrClient client = service.client();
      long beginNanos = System.nanoTime();
      CompletableFuture<Boolean> reading = reading(client.extract(SOURCE, ExtractSettings.DEFAULT));
      assertTrue(ocr.called.await(30, TimeUnit.SECONDS));
      client.close();
      assertEquals(Status.Code.CANCELLED, error(reading).code());
      assertTrue(System.nanoTime() - beginNanos < TimeUnit.SECONDS.toNanos(15));
    }
  }

  @Test
  void anInterruptedThreadStaysMarkedAndTheCallEnds() throws Exception {
    try (FakeService service = new FakeService(ocr);
        OcrClient client = service.client();
        Extraction extraction = client.extract(SOURCE, ExtractSettings.DEFAULT)) {
      Thread reader = Thread.currentThread();
      CompletableFuture<Void> interruption =
          CompletableFuture.runAsync(
              () -> {
                assertDoesNotThrow(() -> ocr.called.await(30, TimeUnit.SECONDS));
                reader.interrupt();
              });
      OcrException error = assertThrows(OcrException.class, () -> extraction.iterator().hasNext());
      assertTrue(Thread.interrupted());
      assertEquals(Status.Code.CANCELLED, error.code());
      assertTrue(ocr.cancelled.await(30, TimeUnit.SECONDS));
      interruption.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void eventsMayBeTakenByOneThreadAfterTheOther() throws Exception {
    ocr.answer(null, FakeOcr.STARTED, FakeOcr.delta(2), FakeOcr.finished(3));
    try (FakeService service = new FakeService(ocr);
        OcrClient client = service.client();
        Extraction extraction = client.extract(SOURCE, ExtractSettings.DEFAULT)) {
      Iterator<UploadExtractResponse> events = extraction.iterator();
      assertEquals(1, events.next().getSequence());
      assertEquals(2, CompletableFuture.supplyAsync(events::next).get().getSequence());
      assertEquals(3, events.next().getSequence());
      assertFalse(events.hasNext());
      assertFalse(extraction.iterator().hasNext());
    }
  }

  @Test
  void patienceEndsWithAServiceThatAcceptsConnectionsAndSaysNothing() throws Exception {
    ocr.answer(Status.UNAVAILABLE.asException(), FakeOcr.STARTED);
    ExtractSettings settings = ExtractSettings.DEFAULT.withPatience(Duration.ofSeconds(1));
    try (ServerSocket silent = new ServerSocket()) {
      FakeService service = new FakeService(ocr);
      try (OcrClient client = service.client();
          Extraction extraction = client.extract(SOURCE, settings)) {
        Iterator<UploadExtractResponse> events = extraction.iterator();
        events.next();
        int port = service.port();
        service.close();
        silent.setReuseAddress(true);
        silent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        long beginNanos = System.nanoTime();
        OcrException error = assertThrows(OcrException.class, events::next);
        assertEquals(Status.Code.UNAVAILABLE, error.code());
        assertTrue(System.nanoTime() - beginNanos < TimeUnit.SECONDS.toNanos(15));
      }
    }
  }

  /** As through a proxy whose service is gone. */
  @Test
  void aStreamThatBreaksAndStaysQuietEndsToo() throws Exception {
    ocr.answer(FakeService.error(Code.UNAVAILABLE, "SHUTTING_DOWN", 0.01), FakeOcr.STARTED);
    OcrException error = assertThrows(OcrException.class, () -> read(Duration.ofMillis(100)));
    assertEquals(Status.Code.UNAVAILABLE, error.code());
    assertEquals(List.of("upload", "resume 1"), ocr.calls());
    assertTrue(ocr.cancelled.await(30, TimeUnit.SECONDS));
  }

  /** gRPC repeats calls by itself, and each attempt may take a proxy's time. */
  @Test
  void aStreamWhoseAttemptsBringNothingHasNoMoreTime() throws Exception {
    StatusRuntimeException broken = FakeService.error(Code.UNAVAILABLE, "SHUTTING_DOWN", 0.01);
    ocr.answer(broken, FakeOcr.STARTED);
    ocr.answerLate(Duration.ofMillis(1100), broken);
    long beginNanos = System.nanoTime();
    assertThrows(OcrException.class, () -> read(Duration.ofSeconds(1)));
    assertEquals(List.of("upload", "resume 1", "resume 1"), ocr.calls());
    assertTrue(System.nanoTime() - beginNanos < TimeUnit.SECONDS.toNanos(8));
  }

  @Test
  void aStreamThatWentOnMayBeQuiet() throws Exception {
    StatusRuntimeException broken = FakeService.error(Code.UNAVAILABLE, "SHUTTING_DOWN", 0.01);
    ocr.answer(broken, FakeOcr.STARTED);
    ocr.answer(broken);
    ocr.answerLate(Duration.ofMillis(2300), null, FakeOcr.delta(2), FakeOcr.finished(3));
    assertEquals(3, read(Duration.ofMillis(200)));
  }

  @Test
  void aWatchOfAServiceThatSaysNothingEnds() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
        OcrClient client = OcrClient.builder("127.0.0.1:" + silent.getLocalPort()).build();
        BatchWatch watch =
            client.watch("id", WatchSettings.DEFAULT.withPatience(Duration.ofSeconds(1)))) {
      OcrException error = assertThrows(OcrException.class, () -> watch.iterator().hasNext());
      assertEquals(Status.Code.UNAVAILABLE, error.code());
    }
  }

  @Test
  void anUploadWhoseSourceFailsIsCancelled() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    BatchServiceGrpc.BatchServiceImplBase batches =
        new BatchServiceGrpc.BatchServiceImplBase() {
          @Override
          public StreamObserver<UploadDocumentRequest> uploadDocument(
              StreamObserver<UploadDocumentResponse> responses) {
            ((ServerCallStreamObserver<?>) responses).setOnCancelHandler(cancelled::countDown);
            return new Ignoring<>();
          }
        };
    InputStream broken =
        new InputStream() {
          private int count;

          @Override
          public int read() {
            if (count++ > 300_000) {
              throw new IllegalArgumentException("broken");
            }
            return 1;
          }
        };
    try (FakeService service = new FakeService(batches);
        OcrClient client = service.client()) {
      List<Source> sources = List.of(Source.of(broken, "a"));
      assertThrows(
          IllegalArgumentException.class,
          () -> client.createBatch(sources, CreateBatchRequest.getDefaultInstance()));
      assertTrue(cancelled.await(30, TimeUnit.SECONDS));
    }
  }

  /** Returns how many events an extraction brings. */
  private int read(Duration patience) throws Exception {
    ExtractSettings settings = ExtractSettings.DEFAULT.withPatience(patience);
    int count = 0;
    try (FakeService service = new FakeService(ocr);
        OcrClient client = service.client();
        Extraction extraction = client.extract(SOURCE, settings)) {
      for (UploadExtractResponse event : extraction) {
        count = event.getSequence();
      }
    }
    return count;
  }

  private static CompletableFuture<Boolean> reading(Extraction extraction) {
    return CompletableFuture.supplyAsync(() -> extraction.iterator().hasNext());
  }

  private static OcrException error(CompletableFuture<?> reading) {
    return OcrException.of(assertThrows(Exception.class, () -> reading.get(50, TimeUnit.SECONDS)));
  }

  private static final class Ignoring<Q> implements StreamObserver<Q> {
    @Override
    public void onNext(Q request) {
      // It has what it came for.
    }

    @Override
    public void onError(Throwable error) {
      // The call was cancelled.
    }

    @Override
    public void onCompleted() {
      // It never is.
    }
  }
}
