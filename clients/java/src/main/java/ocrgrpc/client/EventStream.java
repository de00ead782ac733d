package ocrgrpc.client;

import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Events numbered without gaps, whose connection is mended unseen when it breaks.
 *
 * <p>They wait at the service until they are asked for: one at most is held here. The stream can be
 * gone through once, by one thread at a time; {@link #close} may be called by any. An error ends
 * it, as {@link OcrException}. Whoever interrupts the thread that waits for an event closes it:
 * that is an error with the code `CANCELLED`, and the thread stays marked as interrupted.
 *
 * @param <T> the events
 */
public abstract sealed class EventStream<T> implements Iterable<T>, AutoCloseable
    permits Extraction, BatchWatch {
  private final Closing closing;
  private final Optional<Deadline> deadline;
  private final Events events = new Events();
  private final Object lock = new Object();
  private BlockingClientCall<?, ?> call; // guarded by the lock
  private EventCall<T> reading;

  /**
   * @param client ends it too
   * @param timeout of the whole stream, from now on
   */
  EventStream(Closing client, Optional<Duration> timeout) {
    closing = new Closing(client);
    deadline = timeout.map(each -> Deadline.after(each.toNanos(), TimeUnit.NANOSECONDS));
  }

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

  /** Returns how long to wait before the next call, or throws the error. */
  abstract Duration recover(OcrException error) throws InterruptedException;

  /** Returns a stub whose calls end when the whole stream must. */
  final <S extends AbstractStub<S>> S bounded(S stub) {
    return deadline.map(stub::withDeadline).orElse(stub);
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
    try {
      while (!isFinished()) {
        Optional<T> event = received();
        if (event.isPresent()) {
          return event;
        }
      }
      end();
      return Optional.empty();
    } catch (InterruptedException interruption) {
      close();
      throw Closing.interrupted();
    }
  }

  /** Returns the next event if it is new; empty also if the connection broke and may be tried. */
  private Optional<T> received() throws InterruptedException {
    try {
      return receive();
    } catch (StatusException | OcrException | IllegalStateException error) {
      reading = null;
      if (closing.isClosed()) {
        throw Closing.closed();
      }
      if (error instanceof IllegalStateException misuse) {
        throw misuse;
      }
      OcrException told = OcrException.of(error);
      Duration delay = recover(told);
      if (deadline.isPresent()
          && deadline.get().timeRemaining(TimeUnit.NANOSECONDS) < delay.toNanos()) {
        throw told;
      }
      closing.pause(delay);
      return Optional.empty();
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
