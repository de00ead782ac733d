package ocrgrpc.client;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Events numbered without gaps, whose connection is mended unseen when it breaks.
 *
 * <p>They wait at the service until they are asked for: one at most is held here. The stream can be
 * gone through once, by one thread; {@link #close} may be called by any. An error ends it, as
 * {@link OcrException}.
 *
 * @param <T> the events
 */
public abstract sealed class EventStream<T> implements Iterable<T>, AutoCloseable
    permits Extraction, BatchWatch {
  private final Closing closing = new Closing();
  private final Events events = new Events();
  private final Object lock = new Object();
  private BlockingClientCall<?, ?> call; // guarded by the lock
  private EventCall<T> reading;

  EventStream() {}

  /** A call whose events are read, one after the other; null after the last. */
  interface EventCall<T> {
    T read() throws InterruptedException, StatusException;
  }

  /** Returns the events. Every call returns the same iterator. */
  @Override
  public final Iterator<T> iterator() {
    return events;
  }

  /** Ends the call, and the work at the service with it. Later calls do nothing. */
  @Override
  public final void close() {
    closing.close();
    synchronized (lock) {
      if (call != null) {
        call.cancel("The stream was closed.", null);
      }
    }
  }

  /** Calls, from the beginning or after the last event; tells {@link #began} of the call. */
  abstract EventCall<T> open() throws InterruptedException, StatusException;

  /** Takes note of an event; returns it unless the caller knows it already. */
  abstract Optional<T> take(T event);

  /** Whether the last event was taken. */
  abstract boolean isFinished();

  /** Waits until it is time to call again, or throws the error. */
  abstract void recover(OcrException error);

  final Closing closing() {
    return closing;
  }

  /** Has {@link #close} end a call. */
  final void began(BlockingClientCall<?, ?> newCall) {
    synchronized (lock) {
      call = newCall;
      if (closing.isClosed()) {
        call.cancel("The stream was closed.", null);
      }
    }
  }

  private Optional<T> next() {
    while (true) {
      try {
        if (isFinished()) {
          end();
          return Optional.empty();
        }
        Optional<T> event = receive();
        if (event.isPresent()) {
          return event;
        }
      } catch (InterruptedException interruption) {
        close();
        throw Closing.interrupted();
      } catch (StatusException | OcrException | IllegalStateException error) {
        reading = null;
        if (closing.isClosed()) {
          throw Closing.closed();
        }
        if (error instanceof IllegalStateException misuse) {
          throw misuse;
        }
        recover(OcrException.of(error));
      }
    }
  }

  private Optional<T> receive() throws InterruptedException, StatusException {
    if (reading == null) {
      reading = open();
    }
    T event = reading.read();
    if (event == null) {
      throw OcrException.of(Status.Code.UNKNOWN, "The stream ended before its last event.");
    }
    return take(event);
  }

  /** Waits for the call's own end, so that it is not cancelled; what it says changes nothing. */
  private void end() throws InterruptedException {
    try {
      while (reading != null && reading.read() != null) {
        // Nothing follows the last event.
      }
    } catch (StatusException ignored) {
      // All events are here.
    }
  }

  private final class Events implements Iterator<T> {
    private Optional<T> upcoming = Optional.empty();
    private boolean over;

    @Override
    public boolean hasNext() {
      if (upcoming.isEmpty() && !over) {
        over = true; // also if an error is thrown
        upcoming = EventStream.this.next();
        over = upcoming.isEmpty();
      }
      return upcoming.isPresent();
    }

    @Override
    public T next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      T event = upcoming.get();
      upcoming = Optional.empty();
      return event;
    }
  }
}
