package ocrgrpc.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.AbstractStub;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Decides whether an upload is sent again, which gRPC itself does only while it is small.
 *
 * <p>gRPC's own attempts count, so that both together are no more than the policy allows.
 */
final class Repetition extends ClientStreamTracer.Factory {
  /** Whoever must wait longer shall hear it, not wait for it. */
  private static final Duration LONGEST_DELAY = Duration.ofSeconds(20);

  private final RetryPolicy policy;
  private final boolean whenUnavailable;
  private final AtomicInteger attempts = new AtomicInteger();
  private final ClientInterceptor tracing =
      new ClientInterceptor() {
        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(
            MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
          return next.newCall(method, options.withStreamTracerFactory(Repetition.this));
        }
      };
  private int failures;
  private long beginNanos;
  private boolean renewed;

  /**
   * @param policy says how many attempts there are
   * @param whenUnavailable whether to repeat what may have arrived; it must be free to repeat it
   */
  Repetition(RetryPolicy policy, boolean whenUnavailable) {
    this.policy = policy;
    this.whenUnavailable = whenUnavailable;
  }

  /** Returns a stub whose next call is an attempt at the upload. */
  <S extends AbstractStub<S>> S attempt(S stub) {
    beginNanos = System.nanoTime();
    return stub.withInterceptors(tracing);
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    if (!info.isTransparentRetry()) {
      attempts.incrementAndGet();
    }
    return new ClientStreamTracer() {};
  }

  /**
   * Returns how long to wait before the upload is sent again.
   *
   * @throws OcrException the given one, if it is not to be sent again
   */
  Duration delay(OcrException error) {
    boolean limited = error.code() == Status.Code.RESOURCE_EXHAUSTED;
    boolean unavailable = error.code() == Status.Code.UNAVAILABLE;
    Duration asked = error.retryDelay().orElse(null);
    boolean soon = asked == null ? unavailable : asked.compareTo(LONGEST_DELAY) <= 0;
    boolean repeated = limited || unavailable && whenUnavailable;
    failures++;
    // A call that found no connection made no attempt at a stream, and counts all the same.
    int made = Math.max(failures, attempts.get());
    if (!repeated || !soon || made >= policy.maxAttempts()) {
      throw error;
    }
    return asked == null ? policy.backoff(made) : asked;
  }

  /**
   * Gets another token if the upload was refused because its own expired, once.
   *
   * @return whether that was so, and the upload is worth sending again
   * @throws OcrException if no other token is to be had
   */
  boolean renews(OcrException error, CredentialsInterceptor credentials) {
    Session session = credentials.session().orElse(null);
    if (session == null || renewed || !error.reason().equals("TOKEN_EXPIRED")) {
      return false;
    }
    renewed = true;
    try {
      session.replaced(beginNanos).join(); // a call with a deadline
    } catch (CompletionException refused) {
      throw OcrException.of(refused);
    }
    return true;
  }
}
