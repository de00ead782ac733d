package ocrgrpc.client;

import java.time.Duration;
import java.util.Optional;

/** How a batch is to be watched. Each method returns a changed copy. */
public final class WatchSettings {
  /** From the beginning, without texts, for as long as the batch takes. */
  public static final WatchSettings DEFAULT =
      new WatchSettings(0, false, Optional.empty(), Duration.ofSeconds(60));

  private final int afterSequence;
  private final boolean pages;
  private final Optional<Duration> timeout;
  private final Duration patience;

  private WatchSettings(
      int afterSequence, boolean pages, Optional<Duration> timeout, Duration patience) {
    this.afterSequence = afterSequence;
    this.pages = pages;
    this.timeout = timeout;
    this.patience = patience;
  }

  /** Begins after an event that is known, by its number. */
  public WatchSettings withAfterSequence(int newAfterSequence) {
    return new WatchSettings(newAfterSequence, pages, timeout, patience);
  }

  /** Says whether pages come with their text and lines. */
  public WatchSettings withPages(boolean newPages) {
    return new WatchSettings(afterSequence, newPages, timeout, patience);
  }

  /** Bounds the whole watch. */
  public WatchSettings withTimeout(Duration newTimeout) {
    return new WatchSettings(afterSequence, pages, Optional.of(newTimeout), patience);
  }

  /** Says how long a broken connection may go without an event. 60 seconds by default. */
  public WatchSettings withPatience(Duration newPatience) {
    return new WatchSettings(afterSequence, pages, timeout, newPatience);
  }

  int afterSequence() {
    return afterSequence;
  }

  boolean pages() {
    return pages;
  }

  Optional<Duration> timeout() {
    return timeout;
  }

  Duration patience() {
    return patience;
  }
}
