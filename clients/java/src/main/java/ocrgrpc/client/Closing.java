package ocrgrpc.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Whether a client, or a stream of it, was closed; and waits that end when it is. */
final class Closing {
  private final Closing client;
  private boolean closed; // guarded by the client

  /** That of a client. */
  Closing() {
    client = this;
  }

  /** That of a stream, which is closed with its client. */
  Closing(Closing client) {
    this.client = client;
  }

  void close() {
    synchronized (client) {
      closed = true;
      client.notifyAll();
    }
  }

  boolean isClosed() {
    synchronized (client) {
      return closed || client.closed;
    }
  }

  /**
   * Waits.
   *
   * @throws OcrException with `CANCELLED` if it was closed, or the thread was interrupted
   */
  void pause(Duration delay) {
    long until = System.nanoTime() + delay.toNanos();
    synchronized (client) {
      try {
        for (long left = delay.toNanos(); left > 0; left = until - System.nanoTime()) {
          if (isClosed()) {
            throw closed();
          }
          // Not less than a millisecond, as 0 would be for ever.
          client.wait(Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
        }
      } catch (InterruptedException interruption) {
        throw interrupted();
      }
      if (isClosed()) {
        throw closed();
      }
    }
  }

  static OcrException closed() {
    return OcrException.of(Status.Code.CANCELLED, "It was closed.");
  }

  /** Keeps the thread's mark and returns what to throw. */
  static OcrException interrupted() {
    Thread.currentThread().interrupt();
    return OcrException.of(Status.Code.CANCELLED, "The thread was interrupted.");
  }
}
