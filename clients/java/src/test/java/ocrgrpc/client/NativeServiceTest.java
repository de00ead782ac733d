package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import ocrgrpc.v1.CallerLimits;
import org.junit.jupiter.api.Test;

/** The suite by native gRPC, and what one door is enough for. */
final class NativeServiceTest extends ServiceSuite {
  @Override
  String address() {
    return Stage.variable("OCR_GRPC");
  }

  @Override
  String tlsAddress() {
    return Stage.variable("OCR_TLS_GRPC");
  }

  /** The service refuses the second with an event, and only then says when to come again. */
  @Test
  void anExtractionIsTriedAgainWhereOneAtATimeIsAllowed() throws Exception {
    CallerLimits limits = CallerLimits.newBuilder().setConcurrentStreams(1).build();
    try (OcrClient client = Stage.newUser(address(), limits)) {
      CompletableFuture<Document> second;
      try (Extraction first = client.extract(Stage.sample("long.pdf"))) {
        assertTrue(first.iterator().next().hasStarted());
        Source scan = Source.of(Stage.sample("scan.pdf"));
        second = CompletableFuture.supplyAsync(() -> client.read(scan, ExtractSettings.DEFAULT));
        recorded(client, each -> each.getReason().equals("TOO_MANY_STREAMS"));
      }
      assertEquals(3, second.get(60, TimeUnit.SECONDS).pagesOk());
    }
  }
}
