package ocrgrpc.client;

import java.time.Duration;
import java.util.Optional;

/** Waits after a connection broke until it is time to call again, and gives up after a while. */
final class Breaks {
  private final RetryPolicy policy;
  private final Duration patience;
  private final Closing closing;
  private long callTime;
  private Optional<Long> breakTime = Optional.empty();
  private int failures;

  /**
   * @param policy says how the waits grow
   * @param patience how long it may take, from the break, until an event comes
   * @param closing ends the waits
   */
  Breaks(RetryPolicy policy, Duration patience, Closing closing) {
    this.policy = policy;
    this.patience = patience;
    this.closing = closing;
  }

  /** Notes that a call begins. */
  void called() {
    callTime = System.nanoTime();
  }

  /** Notes that an event arrived. */
  void received() {
    breakTime = Optional.empty();
    failures = 0;
  }

  /**
   * Waits until it is time to call again.
   *
   * @throws OcrException the given one, if another call cannot help or it took too long already
   */
  void await(OcrException error) {
    if (!isBreak(error)) {
      throw error;
    }
    long now = System.nanoTime();
    // A call that lived that long had a connection, and there was just nothing to tell.
    if (breakTime.isEmpty() || now - callTime >= patience.toNanos()) {
      breakTime = Optional.of(now);
      failures = 0;
    }
    failures++;
    Duration delay = error.retryDelay().orElseGet(() -> policy.backoff(failures));
    if (now - breakTime.get() + delay.toNanos() > patience.toNanos()) {
      throw error;
    }
    closing.pause(delay);
  }

  /** Returns whether the way to the service broke, or the service asks to come again. */
  static boolean isBreak(OcrException error) {
    return switch (error.code()) {
      case UNAVAILABLE -> true;
      case RESOURCE_EXHAUSTED -> error.isOfService() && error.retryDelay().isPresent();
      // Proxies reset streams in these ways; the service names a reason.
      case INTERNAL, UNKNOWN, CANCELLED -> !error.isOfService();
      default -> false;
    };
  }
}
