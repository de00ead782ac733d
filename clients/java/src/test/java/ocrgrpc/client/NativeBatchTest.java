package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import ocrgrpc.v1.Batch;
import ocrgrpc.v1.CreateBatchRequest;
import ocrgrpc.v1.WatchBatchResponse;
import org.junit.jupiter.api.Test;

/** Batches by native gRPC. */
final class NativeBatchTest extends BatchSuite {
  @Override
  String address() {
    return Stage.variable("OCR_GRPC");
  }

  @Test
  void aWatchGoesOnWhenTheServiceWasKilledAndCameBack() throws IOException {
    try (OcrClient client = Stage.newUser(address())) {
      Batch batch =
          client.createBatch(
              List.of(Source.of(Stage.sample("long.pdf"))),
              CreateBatchRequest.getDefaultInstance());
      List<WatchBatchResponse> events = watched(client, batch, true);
      assertEquals(24, events.stream().filter(WatchBatchResponse::hasPageFinished).count());
    }
  }
}
