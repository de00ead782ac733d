package ocrgrpc.client;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Says when to call again after a connection broke, and gives up after a while. */
final class Breaks {
  /** How often to look whether there is a connection. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** How many times longer a stream may be quiet that goes on: it may wait for its turn. */
  private static final int TURNS = 10;

  private final RetryPolicy policy;
  private final Duration patience;
  private CallTrace trace = new CallTrace();
  private long callNanos;
  private Optional<Long> breakNanos = Optional.empty();
  private int failures;

  /**
   * @param policy says how the waits grow
   * @param patience how long it may take, from the break, until an event comes
   */
  Breaks(RetryPolicy policy, Duration patience) {
    this.policy = policy;
    this.patience = patience;
  }

  /** Returns a stub for the next call. */
  <S extends AbstractStub<S>> S attempt(S stub) {
    callNanos = System.nanoTime();
    trace = new CallTrace();
    return trace.of(stub);
  }

  /**
   * Waits for the next event: with a connection, which gRPC checks, as long as it takes; but after
   * a break not for ever, as a proxy may hide that nobody is behind it any more.
   *
   * @return the event; null after the last
   * @throws StatusException also if patience is over
   */
  <R> R read(BlockingClientCall<?, R> call) throws InterruptedException, StatusException {
    while (true) {
      try {
        return call.read(LOOK.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException quiet) {
        if (isLost()) {
          call.cancel("The service does not answer.", null);
          throw Status.UNAVAILABLE.withDescription("The service does not answer.").asException();
        }
      }
    }
  }

  /** Notes that an event arrived. */
  void received() {
    breakNanos = Optional.empty();
    failures = 0;
  }

  /**
   * Returns how long to wait before the next call.
   *
   * @throws OcrException the given one, if another call cannot help or it took too long already
   */
  Duration delay(OcrException error) {
    if (!isBreak(error)) {
      throw error;
    }
    Duration limit = patience;
    if (breakNanos.isEmpty()) {
      boolean reached = !trace.lifetime().isZero();
      breakNanos = Optional.of(reached ? System.nanoTime() : callNanos);
    } else if (trace.lifetime().compareTo(patience) >= 0) {
      limit = patience.multipliedBy(TURNS); // it went on, and there was just nothing to tell
      failures = 0;
    }
    failures++;
    Duration delay = error.retryDelay().orElseGet(() -> policy.backoff(failures));
    if (isOver(limit, delay)) {
      throw error;
    }
    return delay;
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

  /** Returns whether a call that brings nothing is not worth waiting for. */
  private boolean isLost() {
    if (!trace.isConnected()) {
      return isOver(patience, Duration.ZERO);
    }
    if (breakNanos.isEmpty()) {
      return false; // it is just quiet
    }
    // gRPC repeats calls by itself: what its attempts spent for nothing shows that the way is
    // broken.
    return trace.spent().compareTo(patience) >= 0
        || isOver(patience.multipliedBy(TURNS), Duration.ZERO);
  }

  /** Returns whether a limit is over after some more time. */
  private boolean isOver(Duration limit, Duration more) {
    long since = System.nanoTime() - breakNanos.orElse(callNanos);
    return since + more.toNanos() > limit.toNanos();
  }
}
