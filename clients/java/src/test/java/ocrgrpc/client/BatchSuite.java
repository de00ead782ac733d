package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.zip.ZipFile;
import ocrgrpc.v1.Batch;
import ocrgrpc.v1.BatchDocument;
import ocrgrpc.v1.BatchState;
import ocrgrpc.v1.CancelBatchRequest;
import ocrgrpc.v1.CreateBatchRequest;
import ocrgrpc.v1.ListBatchDocumentsRequest;
import ocrgrpc.v1.ResultFormat;
import ocrgrpc.v1.WatchBatchResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the client does with batches of a running service, by one of its doors. */
@NeedsService
@Timeout(value = 180, unit = TimeUnit.SECONDS)
abstract class BatchSuite {
  private static final CreateBatchRequest SETTINGS = CreateBatchRequest.getDefaultInstance();

  abstract String address();

  @Test
  void aBatchIsWatchedToItsEndAndDownloaded(@TempDir Path folder) throws IOException {
    try (OcrClient client = Stage.newUser(address())) {
      Batch batch =
          client.createBatch(
              List.of(Source.of(Stage.sample("scan.pdf")), Source.of(Stage.sample("text.pdf"))),
              SETTINGS);
      List<WatchBatchResponse> events = watched(client, batch);
      assertEquals(
          BatchState.BATCH_STATE_FINISHED, events.get(events.size() - 1).getFinished().getState());
      BatchDocument scan = firstDocument(client, batch);
      List<String> lines = new ArrayList<>();
      Stage.expected().forEach(lines::addAll);
      assertEquals(
          lines,
          client
              .downloadText(batch.getBatchId(), scan.getDocumentId())
              .replace('\f', '\n')
              .lines()
              .toList());
      Path archive = folder.resolve("batch.zip");
      client.downloadArchive(batch.getBatchId(), ResultFormat.RESULT_FORMAT_TEXT, archive);
      try (ZipFile zip = new ZipFile(archive.toFile())) {
        assertTrue(zip.size() >= 2);
      }
      assertEquals(1, folder.toFile().list().length);
      Path other = Files.createFile(folder.resolve("other"));
      assertEquals(Files.getPosixFilePermissions(other), Files.getPosixFilePermissions(archive));
    }
  }

  @Test
  void aBatchIsCancelled() throws IOException {
    try (OcrClient client = Stage.newUser(address())) {
      Batch batch = client.createBatch(List.of(Source.of(Stage.sample("long.pdf"))), SETTINGS);
      CancelBatchRequest request =
          CancelBatchRequest.newBuilder().setBatchId(batch.getBatchId()).build();
      assertEquals(
          BatchState.BATCH_STATE_CANCELLED,
          client.batches().cancelBatch(request).getBatch().getState());
    }
  }

  private static List<WatchBatchResponse> watched(OcrClient client, Batch batch) {
    List<WatchBatchResponse> events = new ArrayList<>();
    try (BatchWatch watch = client.watch(batch.getBatchId())) {
      watch.forEach(events::add);
    }
    assertGapless(events);
    return events;
  }

  static void assertGapless(List<WatchBatchResponse> events) {
    assertEquals(
        IntStream.rangeClosed(1, events.size()).boxed().toList(),
        events.stream().map(WatchBatchResponse::getSequence).toList());
  }

  private static BatchDocument firstDocument(OcrClient client, Batch batch) {
    ListBatchDocumentsRequest request =
        ListBatchDocumentsRequest.newBuilder().setBatchId(batch.getBatchId()).build();
    return client.batches().listBatchDocuments(request).getDocuments(0);
  }
}
