package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The policy that ships with the client. */
final class ServiceConfigTest {
  @Test
  void itIsTheServices() throws IOException {
    try (InputStream copy = ServiceConfig.class.getResourceAsStream("service_config.json")) {
      assertEquals(
          Files.readString(Path.of("../../protos/ocr_grpc/v1/service_config.json")),
          new String(copy.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  @Test
  void aMethodHasItsOwnPolicyOrThatOfItsService() {
    RetryPolicy policy = ServiceConfig.retryPolicy("OcrService", "UploadExtract");
    assertEquals(new RetryPolicy(5, 0.2, 5, 2), policy);
    assertEquals(policy, ServiceConfig.retryPolicy("BatchService", "CreateBatch"));
    assertThrows(
        IllegalArgumentException.class, () -> ServiceConfig.retryPolicy("AuthService", "Login"));
  }

  @Test
  void waitsGrowToALimit() {
    RetryPolicy policy = new RetryPolicy(5, 0.2, 5, 2);
    assertEquals(0.2, policy.backoff(1).toMillis() / 1000.0, 0.05);
    assertEquals(0.8, policy.backoff(3).toMillis() / 1000.0, 0.17);
    assertEquals(5, policy.backoff(100).toMillis() / 1000.0, 1.01);
  }
}
