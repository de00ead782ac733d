package ocrgrpc.client;

import java.time.Instant;

/**
 * The pair of tokens of a session, to be kept like a password.
 *
 * @param accessToken travels with calls
 * @param refreshToken gets the next pair, once
 * @param expireTime when the access token expires
 */
public record Tokens(String accessToken, String refreshToken, Instant expireTime) {
  /** Takes them as they were kept; space around them is dropped. */
  public Tokens {
    accessToken = Credentials.checked(accessToken);
    refreshToken = Credentials.checked(refreshToken);
  }

  static Tokens of(String accessToken, String refreshToken, int expiresInSeconds) {
    return new Tokens(accessToken, refreshToken, Instant.now().plusSeconds(expiresInSeconds));
  }

  /** Returns when they expire, and none of their secrets. */
  @Override
  public String toString() {
    return "Tokens[expireTime=" + expireTime + "]";
  }
}
