package ocrgrpc.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Whether somebody closed a stream, and waits that end when somebody does. */
final class Closing {
  private final CountDownLatch latch = new CountDownLatch(1);

  void close() {
    latch.countDown();
  }

  boolean isClosed() {
    return latch.getCount() == 0;
  }

  /**
   * Waits.
   *
   * @throws OcrException with `CANCELLED` if it was closed, or the thread was interrupted
   */
  void pause(Duration delay) {
    try {
      if (latch.await(delay.toNanos(), TimeUnit.NANOSECONDS)) {
        throw closed();
      }
    } catch (InterruptedException interruption) {
      throw interrupted();
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
