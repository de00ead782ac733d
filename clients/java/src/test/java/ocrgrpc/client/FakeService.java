package ocrgrpc.client;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;

/** A server on this machine that does what a test says: what the real one does only by accident. */
final class FakeService implements AutoCloseable {
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
      Duration delay = Duration.newBuilder().setNanos((int) (retrySeconds * 1e9)).build();
      status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
