package ocrgrpc.client;

import io.grpc.Attributes;
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

/** Notes what becomes of calls on the way: gRPC's own attempts, and whether they are connected. */
final class CallTrace extends ClientStreamTracer.Factory {
  private final ClientInterceptor tracing =
      new ClientInterceptor() {
        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(
            MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
          return next.newCall(method, options.withStreamTracerFactory(CallTrace.this));
        }
      };
  private int attempts;
  private boolean connected;
  private long connectNanos;
  private Duration lifetime = Duration.ZERO;
  private Duration spent = Duration.ZERO;

  /** Returns a stub whose calls are noted here. */
  <S extends AbstractStub<S>> S of(S stub) {
    return stub.withInterceptors(tracing);
  }

  /** Returns how often gRPC sent the calls, as its retry policy counts. */
  synchronized int attempts() {
    return attempts;
  }

  /** Whether there is a connection under the call now: the service answered its greeting. */
  synchronized boolean isConnected() {
    return connected;
  }

  /** Returns how long the newest connection has lasted, or did. */
  synchronized Duration lifetime() {
    return connected ? Duration.ofNanos(System.nanoTime() - connectNanos) : lifetime;
  }

  /** Returns how long those connections lasted together that are over. */
  synchronized Duration spent() {
    return spent;
  }

  @Override
  public synchronized ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    if (!info.isTransparentRetry()) {
      attempts++;
    }
    return new Tracer();
  }

  private synchronized void began() {
    connected = true;
    connectNanos = System.nanoTime();
  }

  private synchronized void ended() {
    lifetime = lifetime();
    if (connected) {
      spent = spent.plus(lifetime);
    }
    connected = false;
  }

  private final class Tracer extends ClientStreamTracer {
    @Override
    public void streamCreated(Attributes transport, Metadata headers) {
      began();
    }

    @Override
    public void streamClosed(Status status) {
      ended();
    }
  }
}
