package ocrgrpc.client;

import java.time.Duration;
import java.util.Optional;
import ocrgrpc.v1.ExtractOptions;

/** How a document is to be read and its events brought. Each method returns a changed copy. */
public final class ExtractSettings {
  /** The service's defaults, resumable, with an id of its own for each document. */
  public static final ExtractSettings DEFAULT =
      new ExtractSettings(
          ExtractOptions.getDefaultInstance(), "", true, Optional.empty(), Duration.ofSeconds(60));

  private final ExtractOptions options;
  private final String requestId;
  private final boolean resumable;
  private final Optional<Duration> timeout;
  private final Duration patience;

  private ExtractSettings(
      ExtractOptions options,
      String requestId,
      boolean resumable,
      Optional<Duration> timeout,
      Duration patience) {
    this.options = options;
    this.requestId = requestId;
    this.resumable = resumable;
    this.timeout = timeout;
    this.patience = patience;
  }

  /** Says how the document is to be read, such as its pages and the mode. */
  public ExtractSettings withOptions(ExtractOptions newOptions) {
    return new ExtractSettings(newOptions, requestId, resumable, timeout, patience);
  }

  /**
   * Names the request, so that a repetition of it costs nothing for a day. Empty: a random name.
   */
  public ExtractSettings withRequestId(String newRequestId) {
    return new ExtractSettings(options, newRequestId, resumable, timeout, patience);
  }

  /**
   * Says whether the stream goes on after a broken connection; the default, but with page images.
   */
  public ExtractSettings withResumable(boolean newResumable) {
    return new ExtractSettings(options, requestId, newResumable, timeout, patience);
  }

  /** Bounds the whole extraction, upload included. By default it has an hour for each call. */
  public ExtractSettings withTimeout(Duration newTimeout) {
    return new ExtractSettings(options, requestId, resumable, Optional.of(newTimeout), patience);
  }

  /** Says how long a broken connection may go without an event. 60 seconds by default. */
  public ExtractSettings withPatience(Duration newPatience) {
    return new ExtractSettings(options, requestId, resumable, timeout, newPatience);
  }

  ExtractOptions options() {
    return options;
  }

  String requestId() {
    return requestId;
  }

  /** The service keeps no pictures of pages, and refuses to. */
  boolean resumable() {
    return resumable && options.getPageImageSidePx() == 0;
  }

  Optional<Duration> timeout() {
    return timeout;
  }

  Duration patience() {
    return patience;
  }
}
