package ocrgrpc.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Objects;
import java.util.concurrent.Executor;

/**
 * What calls carry to say who is calling: nothing, an API key, or the access token of a session.
 */
abstract class Credentials extends CallCredentials {
  private static final Metadata.Key<String> API_KEY =
      Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /** Returns those of a key. */
  static Credentials ofKey(String secret) {
    String key = checked(secret);
    return new Credentials() {
      @Override
      public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier to) {
        to.apply(metadata(API_KEY, key));
      }
    };
  }

  static Credentials ofSession(Session session) {
    return new Credentials() {
      @Override
      public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier to) {
        session
            .fresh()
            .whenComplete(
                (tokens, error) -> {
                  if (error == null) {
                    to.apply(metadata(AUTHORIZATION, "Bearer " + tokens.accessToken()));
                  } else {
                    to.fail(status(OcrException.of(error)));
                  }
                });
      }
    };
  }

  /**
   * Returns a secret without the space around it.
   *
   * @throws IllegalArgumentException if it cannot travel; gRPC would write it into the log
   */
  static String checked(String secret) {
    String stripped = Objects.requireNonNull(secret, "The key or token.").strip();
    if (!stripped.chars().allMatch(each -> '!' <= each && each <= '~')) {
      throw new IllegalArgumentException("The key or token has characters that none has.");
    }
    return stripped;
  }

  /** Says what kind they are; secrets are never printed. */
  @Override
  public String toString() {
    return "Credentials";
  }

  private static Metadata metadata(Metadata.Key<String> key, String value) {
    Metadata metadata = new Metadata();
    metadata.put(key, value);
    return metadata;
  }

  /** Carries the error of a refresh to whoever made the call; see `OcrException.of`. */
  private static Status status(OcrException error) {
    return error.code().toStatus().withDescription(error.getMessage()).withCause(error);
  }
}
