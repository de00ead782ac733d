package ocrgrpc.client;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.Channel;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import ocrgrpc.v1.AuthServiceGrpc;
import ocrgrpc.v1.RefreshTokenRequest;
import ocrgrpc.v1.RefreshTokenResponse;

/**
 * Keeps the tokens of a session fresh.
 *
 * <p>A refresh token works once, and the session ends if it is used twice: however many calls run,
 * one refresh is under way at a time. If its answer is lost the old pair is used as long as it
 * lives: another try might be the second use. Nothing here blocks.
 */
final class Session {
  /** How long before its end an access token is replaced. */
  private static final Duration AHEAD = Duration.ofSeconds(60);

  private final Channel channel;
  private final InstantSource clock;
  private Tokens tokens;
  private Instant refreshTime;
  private long tokenNanos = System.nanoTime();
  private CompletableFuture<Tokens> refresh;

  /**
   * @param channel to the service, without credentials
   * @param tokens the pair to begin with
   * @param clock says when they expire
   */
  Session(Channel channel, Tokens tokens, InstantSource clock) {
    this.channel = channel;
    this.clock = clock;
    take(tokens);
  }

  /** Returns the newest pair. */
  synchronized Tokens tokens() {
    return tokens;
  }

  /** Returns the pair to call with, after a refresh if it is time for one. */
  synchronized CompletableFuture<Tokens> fresh() {
    if (refresh == null && clock.instant().isBefore(refreshTime)) {
      return CompletableFuture.completedFuture(tokens);
    }
    Tokens old = tokens;
    return refreshed()
        .exceptionallyCompose(
            error ->
                OcrException.of(error).code() != Status.Code.UNAUTHENTICATED
                        && clock.instant().isBefore(old.expireTime())
                    ? CompletableFuture.completedFuture(old) // it still works
                    : CompletableFuture.failedFuture(OcrException.of(error)));
  }

  /**
   * Returns another pair than the one that a call was refused with.
   *
   * @param beginNanos when that call began, in the time of `System.nanoTime`
   */
  synchronized CompletableFuture<Tokens> replaced(long beginNanos) {
    return refresh == null && tokenNanos - beginNanos > 0
        ? CompletableFuture.completedFuture(tokens)
        : refreshed();
  }

  /** Joins the refresh that is under way, or begins one. */
  private synchronized CompletableFuture<Tokens> refreshed() {
    if (refresh != null) {
      return refresh;
    }
    CompletableFuture<Tokens> begun = new CompletableFuture<>();
    refresh = begun;
    RefreshTokenRequest request =
        RefreshTokenRequest.newBuilder().setRefreshToken(tokens.refreshToken()).build();
    Futures.addCallback(
        AuthServiceGrpc.newFutureStub(channel).refreshToken(request),
        new FutureCallback<>() {
          @Override
          public void onSuccess(RefreshTokenResponse response) {
            begun.complete(taken(response));
          }

          @Override
          public void onFailure(Throwable error) {
            failed();
            begun.completeExceptionally(OcrException.of(error));
          }
        },
        MoreExecutors.directExecutor());
    return begun;
  }

  private synchronized Tokens taken(RefreshTokenResponse response) {
    refresh = null;
    take(Tokens.of(response.getAccessToken(), response.getRefreshToken(), response.getExpiresIn()));
    return tokens;
  }

  private synchronized void failed() {
    refresh = null;
    refreshTime = tokens.expireTime();
  }

  private void take(Tokens pair) {
    Duration life = Duration.between(clock.instant(), pair.expireTime());
    Duration ahead = life.dividedBy(2).compareTo(AHEAD) < 0 ? life.dividedBy(2) : AHEAD;
    tokens = pair;
    tokenNanos = System.nanoTime();
    refreshTime = pair.expireTime().minus(ahead);
  }
}
