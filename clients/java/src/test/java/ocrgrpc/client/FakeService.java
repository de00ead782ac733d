package ocrgrpc.client;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** A server on this machine that does what a test says: what the real one does only by accident. */
final class FakeService implements AutoCloseable {
  private static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private final Server server;

  FakeService(BindableService... services) throws IOException {
    ServerBuilder<?> builder = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create());
    for (BindableService service : services) {
      builder.addService(service);
    }
    server = builder.build().start();
  }

  OcrClient client() {
    return OcrClient.builder("127.0.0.1:" + server.getPort()).build();
  }

  /** Returns an error as the service makes it; 0: nothing is said of coming again. */
  static StatusRuntimeException error(Code code, String reason, double retrySeconds) {
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.getNumber())
            .setMessage("No.")
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setDomain("ocr_grpc")
                        .setReason(reason)
                        .putMetadata("limit", "7")
                        .build()));
    if (retrySeconds > 0) {
      Duration delay =
          Duration.newBuilder()
              .setSeconds((long) retrySeconds)
              .setNanos((int) (retrySeconds % 1 * 1e9))
              .build();
      status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
    }
    StatusRuntimeException error = StatusProto.toStatusRuntimeException(status.build());
    if (retrySeconds > 0) { // for gRPC's own retries
      error.getTrailers().put(PUSHBACK, String.valueOf((int) (retrySeconds * 1000)));
    }
    return error;
  }

  int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException interruption) {
      Thread.currentThread().interrupt();
    }
  }
}
