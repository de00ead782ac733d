package ocrgrpc.client;

import com.google.api.HttpBody;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.function.Function;

/** Sends a document in pieces, each when the network has taken the last one. */
final class Pieces {
  private static final int PIECE_BYTES = 256 << 10;

  private Pieces() {}

  /**
   * Sends all of a document, or stops early if the service has answered.
   *
   * @param call where to send it
   * @param first what the first message says besides the bytes
   * @param message makes each other message of its bytes; the first is merged of both
   * @throws UncheckedIOException if the document cannot be read
   * @throws InterruptedException also if reading the document was interrupted
   */
  static <Q> void send(
      BlockingClientCall<Q, ?> call,
      Source source,
      Function<HttpBody, Q> first,
      Function<HttpBody, Q> message)
      throws InterruptedException, StatusException {
    boolean whole = false;
    try (InputStream stream = source.open()) {
      byte[] bytes = stream.readNBytes(PIECE_BYTES);
      boolean open = call.write(first.apply(body(bytes)));
      while (open && bytes.length == PIECE_BYTES) {
        bytes = stream.readNBytes(PIECE_BYTES);
        open = bytes.length == 0 || call.write(message.apply(body(bytes)));
      }
      if (open) {
        call.halfClose();
      }
      whole = true;
    } catch (ClosedByInterruptException interruption) {
      throw new InterruptedException();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } finally {
      if (!whole) {
        call.cancel("The document was not sent as a whole.", null);
      }
    }
  }

  /** No copy: each piece has an array of its own. */
  private static HttpBody body(byte[] bytes) {
    return HttpBody.newBuilder().setData(UnsafeByteOperations.unsafeWrap(bytes)).build();
  }
}
