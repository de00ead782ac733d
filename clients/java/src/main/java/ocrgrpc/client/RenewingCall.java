package ocrgrpc.client;

import io.grpc.Attributes;
import io.grpc.ClientCall;
import io.grpc.ForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** A call of one message that is made again, once, if it is refused because its token expired. */
final class RenewingCall<Q, R> extends ClientCall<Q, R> {
  private final Supplier<ClientCall<Q, R>> calls;
  private final Session session;
  private final Executor executor;
  private final long beginNanos = System.nanoTime();
  private ClientCall<Q, R> call;
  private Listener<R> listener;
  private Metadata headers;
  private Q message;
  private int requested;
  private boolean halfClosed;
  private boolean cancelled;
  private Runnable refusal;

  /**
   * @param calls makes the call
   * @param session gets another token
   * @param executor where whoever waits for the call hears of its end; null: anywhere
   */
  RenewingCall(Supplier<ClientCall<Q, R>> calls, Session session, Executor executor) {
    this.calls = calls;
    this.session = session;
    this.executor = executor == null ? Runnable::run : executor;
    this.call = calls.get();
  }

  @Override
  public synchronized void start(Listener<R> responses, Metadata requestHeaders) {
    listener = responses;
    headers = new Metadata();
    headers.merge(requestHeaders);
    call.start(new Watching(responses), requestHeaders);
  }

  @Override
  public synchronized void request(int messages) {
    requested += messages;
    call.request(messages);
  }

  @Override
  public synchronized void sendMessage(Q only) {
    message = only;
    call.sendMessage(only);
  }

  @Override
  public synchronized void halfClose() {
    halfClosed = true;
    call.halfClose();
  }

  @Override
  public synchronized void cancel(String why, Throwable cause) {
    cancelled = true;
    call.cancel(why, cause);
    if (refusal != null) { // nothing is under way but the refresh
      Status status = Status.CANCELLED.withDescription(why).withCause(cause);
      refusal = null;
      executor.execute(() -> listener.onClose(status, new Metadata()));
    }
  }

  @Override
  public synchronized boolean isReady() {
    return call.isReady();
  }

  @Override
  public synchronized Attributes getAttributes() {
    return call.getAttributes();
  }

  /** Waits for another token with a call that was refused, unless it is cancelled meanwhile. */
  private void renew(Runnable refused) {
    synchronized (this) {
      refusal = refused;
    }
    session.replaced(beginNanos).whenComplete((tokens, error) -> renewed(error == null));
  }

  private synchronized void renewed(boolean good) {
    Runnable refused = refusal;
    refusal = null;
    if (refused == null) {
      return;
    }
    if (!good) {
      executor.execute(refused);
      return;
    }
    call = calls.get();
    Metadata copy = new Metadata();
    copy.merge(headers);
    call.start(listener, copy);
    call.request(requested);
    call.sendMessage(message);
    call.halfClose();
  }

  private synchronized boolean isWhole() {
    return halfClosed && !cancelled;
  }

  /** Holds the headers back until it is clear that the call was not refused. */
  private final class Watching extends ForwardingClientCallListener<R> {
    private final Listener<R> responses;
    private Metadata responseHeaders;
    private boolean received;

    Watching(Listener<R> responses) {
      this.responses = responses;
    }

    @Override
    protected Listener<R> delegate() {
      return responses;
    }

    @Override
    public void onHeaders(Metadata arrived) {
      responseHeaders = arrived;
    }

    @Override
    public void onMessage(R response) {
      tellHeaders();
      received = true;
      responses.onMessage(response);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      boolean expired =
          status.getCode() == Status.Code.UNAUTHENTICATED
              && OcrException.of(status, trailers, null).reason().equals("TOKEN_EXPIRED");
      if (!expired || received || !isWhole()) {
        tellHeaders();
        responses.onClose(status, trailers);
        return;
      }
      renew(() -> responses.onClose(status, trailers));
    }

    private void tellHeaders() {
      if (responseHeaders != null) {
        responses.onHeaders(responseHeaders);
        responseHeaders = null;
      }
    }
  }
}
