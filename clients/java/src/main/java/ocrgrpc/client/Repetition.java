package ocrgrpc.client;

import io.grpc.Status;
import io.grpc.stub.AbstractStub;
import java.time.Duration;
import java.util.concurrent.ExecutionException;

/**
 * Decides whether an upload is sent again, which gRPC itself does only while it is small.
 *
 * <p>gRPC's own attempts count, so that both together are no more than the policy allows.
 */
final class Repetition {
  /** Whoever must wait longer shall hear it, not wait for it. */
  private static final Duration LONGEST_DELAY = Duration.ofSeconds(20);

  private final RetryPolicy policy;
  private final boolean whenUnavailable;
  private final CredentialsInterceptor credentials;
  private final CallTrace trace = new CallTrace();
  private int failures;
  private long beginNanos;
  private boolean renewed;

  /**
   * @param policy says how many attempts there are
   * @param whenUnavailable whether to repeat what may have arrived; it must be free to repeat it
   * @param credentials of the calls
   */
  Repetition(RetryPolicy policy, boolean whenUnavailable, CredentialsInterceptor credentials) {
    this.policy = policy;
    this.whenUnavailable = whenUnavailable;
    this.credentials = credentials;
  }

  /** Returns a stub whose next call is an attempt at the upload. */
  <S extends AbstractStub<S>> S attempt(S stub) {
    beginNanos = System.nanoTime();
    return trace.of(stub);
  }

  /**
   * Returns how long to wait before the upload is sent again, with another token where its own
   * expired.
   *
   * @throws OcrException the given one, if it is not to be sent again, or why there is no token
   */
  Duration delay(OcrException error) throws InterruptedException {
    if (renews(error)) {
      return Duration.ZERO;
    }
    boolean limited = error.code() == Status.Code.RESOURCE_EXHAUSTED;
    boolean unavailable = error.code() == Status.Code.UNAVAILABLE;
    Duration asked = error.retryDelay().orElse(null);
    boolean soon = asked == null ? unavailable : asked.compareTo(LONGEST_DELAY) <= 0;
    boolean repeated = limited || unavailable && whenUnavailable;
    failures++;
    // A call that found no connection made no attempt at a stream, and counts all the same.
    int made = Math.max(failures, trace.attempts());
    if (!repeated || !soon || made >= policy.maxAttempts()) {
      throw error;
    }
    return asked == null ? policy.backoff(made) : asked;
  }

  /** Gets another token, once, if the upload was refused because its own expired. */
  private boolean renews(OcrException error) throws InterruptedException {
    Session session = credentials.session().orElse(null);
    if (session == null || renewed || !error.reason().equals("TOKEN_EXPIRED")) {
      return false;
    }
    renewed = true;
    try {
      session.replaced(beginNanos).get(); // a call with a deadline
    } catch (ExecutionException refused) {
      throw OcrException.of(refused);
    }
    return true;
  }
}
