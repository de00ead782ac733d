package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import ocrgrpc.v1.Batch;
import ocrgrpc.v1.CreateBatchRequest;
import ocrgrpc.v1.PageFinished;
import ocrgrpc.v1.UploadExtractResponse;
import ocrgrpc.v1.WatchBatchResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What streams do when the service is killed and comes back: once, as that takes its time. */
@NeedsService
@Timeout(value = 180, unit = TimeUnit.SECONDS)
final class RestartTest {
  /** Each is open once the first page of so many streams has ended. */
  private final CountDownLatch watching = new CountDownLatch(1);

  private final CountDownLatch reading = new CountDownLatch(2);

  @Test
  void streamsOfBothDoorsAndAWatchGoOn() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      // The batch first: its pages wait while those of streams are read.
      Future<List<WatchBatchResponse>> watched = threads.submit(this::watched);
      assertTrue(watching.await(60, TimeUnit.SECONDS));
      Future<List<UploadExtractResponse>> byGrpc = threads.submit(() -> read("OCR_GRPC"));
      Future<List<UploadExtractResponse>> byEnvoy = threads.submit(() -> read("OCR_ENVOY"));
      assertTrue(reading.await(60, TimeUnit.SECONDS));
      CompletableFuture<Void> restart = CompletableFuture.runAsync(Stage::restart);
      assertWhole(byGrpc.get());
      assertWhole(byEnvoy.get());
      BatchSuite.assertGapless(watched.get());
      assertEquals(24, watched.get().stream().filter(WatchBatchResponse::hasPageFinished).count());
      restart.get();
    } finally {
      threads.shutdownNow();
    }
  }

  private List<UploadExtractResponse> read(String door) throws IOException {
    try (OcrClient client = Stage.newUser(Stage.variable(door));
        Extraction extraction = client.extract(Stage.sample("long.pdf"))) {
      return collected(extraction, UploadExtractResponse::hasPageFinished, reading);
    }
  }

  private List<WatchBatchResponse> watched() throws IOException {
    try (OcrClient client = Stage.newUser(Stage.variable("OCR_GRPC"))) {
      List<Source> sources = List.of(Source.of(Stage.sample("long.pdf")));
      Batch batch = client.createBatch(sources, CreateBatchRequest.getDefaultInstance());
      try (BatchWatch watch = client.watch(batch.getBatchId())) {
        return collected(watch, WatchBatchResponse::hasPageFinished, watching);
      }
    }
  }

  /** Takes all events; tells of the end of the first page. */
  private static <T> List<T> collected(
      Iterable<T> stream, Predicate<T> pageFinished, CountDownLatch begun) {
    List<T> events = new ArrayList<>();
    boolean told = false;
    for (T event : stream) {
      events.add(event);
      if (!told && pageFinished.test(event)) {
        begun.countDown();
        told = true;
      }
    }
    return events;
  }

  private static void assertWhole(List<UploadExtractResponse> events) {
    ServiceSuite.assertGapless(events);
    List<PageFinished> pages = ServiceSuite.pages(events);
    assertEquals(
        IntStream.rangeClosed(1, 24).boxed().toList(),
        pages.stream().map(PageFinished::getPageNumber).sorted().toList());
    for (PageFinished page : pages) {
      assertEquals(
          List.of("Chapter " + (page.getPageNumber() - 1), "It was a dark night."),
          page.getText().lines().toList());
    }
    assertTrue(events.get(events.size() - 1).hasFinished());
  }
}
