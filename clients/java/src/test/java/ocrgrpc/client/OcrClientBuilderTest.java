package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What people get wrong first: secrets, addresses, certificates and files. */
@Timeout(60)
final class OcrClientBuilderTest {
  private static final Metadata.Key<String> KEY =
      Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER);

  @Test
  void aKeyThatWasReadFromAFileMayEndItsLine() throws IOException {
    AtomicReference<String> seen = new AtomicReference<>();
    ServerInterceptor noting =
        new ServerInterceptor() {
          @Override
          public <Q, R> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            seen.set(headers.get(KEY));
            return next.startCall(call, headers);
          }
        };
    FakeOcr ocr = new FakeOcr();
    ocr.answer(null, FakeOcr.STARTED, FakeOcr.finished(2));
    try (FakeService service = new FakeService(() -> ServerInterceptors.intercept(ocr, noting));
        OcrClient client =
            OcrClient.builder("127.0.0.1:" + service.port()).apiKey("ocr_abc\n").build()) {
      client.read(Source.of(new byte[3], "a"), ExtractSettings.DEFAULT);
      assertEquals("ocr_abc", seen.get());
    }
  }

  /** gRPC would log it, byte by byte. */
  @Test
  void aSecretThatCannotTravelIsRefusedAndNotShown() {
    OcrClientBuilder builder = OcrClient.builder("127.0.0.1:1");
    Exception error =
        assertThrows(IllegalArgumentException.class, () -> builder.apiKey("ocr_a\nbc"));
    assertFalse(error.toString().contains("ocr_"));
    assertThrows(
        IllegalArgumentException.class, () -> new Tokens("a b", "c", Instant.now()).toString());
  }

  @Test
  void clientsOfOneBuilderHaveTheirOwnSessions() {
    OcrClientBuilder builder = OcrClient.builder("127.0.0.1:1");
    try (OcrClient one = builder.build();
        OcrClient other = builder.build()) {
      one.resume(new Tokens("a", "b", Instant.now()));
      assertTrue(other.tokens().isEmpty());
    }
  }

  @Test
  void anErrorSaysWhyTheServiceWasNotReached() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    try (OcrClient client = OcrClient.builder("127.0.0.1:" + port).build()) {
      OcrException error = assertThrows(OcrException.class, () -> client.login("anna", "secret"));
      assertTrue(error.getMessage().contains("refused"), error.getMessage());
      assertFalse(error.toString().contains("secret"));
    }
  }

  @Test
  void anErrorIsFoundInsideOthers() {
    Exception inner = Status.NOT_FOUND.withDescription("No.").asException();
    OcrException error = OcrException.of(new ExecutionException(inner));
    assertEquals("NOT_FOUND: No.", error.toString());
  }

  @Test
  void whatIsNoFileOfCertificatesOrNoFileIsRefusedByName(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("ca.pem"), "nothing");
    OcrClientBuilder builder = OcrClient.builder("127.0.0.1:1");
    IOException error = assertThrows(IOException.class, () -> builder.tls(file));
    assertTrue(error.getMessage().contains("ca.pem"));
    assertThrows(FileSystemException.class, () -> Source.of(folder));
  }
}
