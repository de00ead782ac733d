package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.Code;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import ocrgrpc.v1.AuthServiceGrpc;
import ocrgrpc.v1.GetMeRequest;
import ocrgrpc.v1.GetMeResponse;
import ocrgrpc.v1.RefreshTokenRequest;
import ocrgrpc.v1.RefreshTokenResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When and how often the tokens of a session are refreshed. */
@Timeout(60)
final class SessionTest {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final AtomicInteger refreshes = new AtomicInteger();
  private final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();
  private final CountDownLatch refreshing = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);
  private volatile StatusRuntimeException refusal;

  @Test
  void callsAtOnceWaitForOneRefresh() throws Exception {
    try (FakeService service = service();
        OcrClient client = service.client()) {
      client.resume(new Tokens("old", "refresh-0", Instant.now()));
      List<CompletableFuture<GetMeResponse>> calls =
          IntStream.range(0, 8).mapToObj(each -> getMe(client)).toList();
      release.countDown();
      calls.forEach(CompletableFuture::join);
      assertEquals(1, refreshes.get());
      assertEquals(8, seen.stream().filter("Bearer access-1"::equals).count());
    }
  }

  @Test
  void aCallWhoseTokenExpiredOnTheWayIsMadeAgainOnce() throws IOException {
    release.countDown();
    try (FakeService service = service();
        OcrClient client = service.client()) {
      client.resume(new Tokens("expired", "refresh-0", Instant.now().plusSeconds(600)));
      client.auth().getMe(GetMeRequest.getDefaultInstance());
      assertEquals(List.of("Bearer expired", "Bearer access-1"), List.copyOf(seen));
      assertEquals(1, refreshes.get());
    }
  }

  @Test
  void aRefusedRefreshIsTheErrorOfTheCallAndTellsNoSecret() throws IOException {
    release.countDown();
    refusal = FakeService.error(Code.UNAUTHENTICATED, "REFRESH_TOKEN_EXPIRED", 0);
    try (FakeService service = service();
        OcrClient client = service.client()) {
      client.resume(new Tokens("secret-a", "secret-b", Instant.now()));
      OcrException error =
          OcrException.of(
              assertThrows(
                  StatusRuntimeException.class,
                  () -> client.auth().getMe(GetMeRequest.getDefaultInstance())));
      assertEquals("REFRESH_TOKEN_EXPIRED", error.reason());
      assertFalse((error + " " + client.tokens()).contains("secret"));
    }
  }

  @Test
  void aRefreshThatIsRefusedAfterACallWasEndsTheCall() throws IOException {
    release.countDown();
    refusal = FakeService.error(Code.UNAUTHENTICATED, "REFRESH_TOKEN_REUSED", 0);
    try (FakeService service = service();
        OcrClient client = service.client()) {
      client.resume(new Tokens("expired", "refresh-0", Instant.now().plusSeconds(600)));
      OcrException error =
          OcrException.of(
              assertThrows(
                  StatusRuntimeException.class,
                  () -> client.auth().getMe(GetMeRequest.getDefaultInstance())));
      assertEquals("TOKEN_EXPIRED", error.reason());
    }
  }

  @Test
  void aCallCanBeCancelledWhileItsTokenIsRefreshed() throws Exception {
    try (FakeService service = service();
        OcrClient client = service.client()) {
      client.resume(new Tokens("expired", "refresh-0", Instant.now().plusSeconds(600)));
      AtomicReference<Status> end = new AtomicReference<>();
      CountDownLatch ended = new CountDownLatch(1);
      ClientCall<GetMeRequest, GetMeResponse> call =
          client.channel().newCall(AuthServiceGrpc.getGetMeMethod(), CallOptions.DEFAULT);
      ClientCalls.asyncUnaryCall(
          call,
          GetMeRequest.getDefaultInstance(),
          new StreamObserver<>() {
            @Override
            public void onNext(GetMeResponse response) {}

            @Override
            public void onError(Throwable error) {
              end.set(Status.fromThrowable(error));
              ended.countDown();
            }

            @Override
            public void onCompleted() {}
          });
      assertTrue(refreshing.await(30, TimeUnit.SECONDS));
      call.cancel("Enough.", null);
      assertTrue(ended.await(20, TimeUnit.SECONDS));
      assertEquals(Status.Code.CANCELLED, end.get().getCode());
      release.countDown();
    }
  }

  @Test
  void aRefreshWhoseAnswerIsLostIsNotTriedAgainWhileTheTokenLives() throws IOException {
    release.countDown();
    refusal = Status.UNAVAILABLE.asRuntimeException();
    Instant begin = Instant.now();
    AtomicReference<Instant> now = new AtomicReference<>(begin);
    try (FakeService service = service();
        OcrClient client = service.client()) {
      Tokens tokens = new Tokens("access-0", "refresh-0", begin.plusSeconds(600));
      Session session = new Session(client.channel(), tokens, now::get);
      now.set(begin.plusSeconds(570));
      assertEquals("access-0", session.fresh().join().accessToken());
      assertEquals("access-0", session.fresh().join().accessToken());
      assertEquals(1, refreshes.get());
      now.set(begin.plusSeconds(601));
      refusal = null;
      assertEquals("access-2", session.fresh().join().accessToken());
    }
  }

  private FakeService service() throws IOException {
    AuthServiceGrpc.AuthServiceImplBase auth =
        new AuthServiceGrpc.AuthServiceImplBase() {
          @Override
          public void refreshToken(
              RefreshTokenRequest request, StreamObserver<RefreshTokenResponse> responses) {
            refresh(responses);
          }

          @Override
          public void getMe(GetMeRequest request, StreamObserver<GetMeResponse> responses) {
            responses.onNext(GetMeResponse.getDefaultInstance());
            responses.onCompleted();
          }
        };
    return new FakeService(() -> ServerInterceptors.intercept(auth, new RefusingExpired()));
  }

  private void refresh(StreamObserver<RefreshTokenResponse> responses) {
    int count = refreshes.incrementAndGet();
    refreshing.countDown();
    try {
      release.await();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
    if (refusal != null) {
      responses.onError(refusal);
      return;
    }
    responses.onNext(
        RefreshTokenResponse.newBuilder()
            .setAccessToken("access-" + count)
            .setRefreshToken("refresh-" + count)
            .setExpiresIn(600)
            .build());
    responses.onCompleted();
  }

  private static CompletableFuture<GetMeResponse> getMe(OcrClient client) {
    return CompletableFuture.supplyAsync(
        () -> client.auth().getMe(GetMeRequest.getDefaultInstance()));
  }

  /** Notes the credentials of calls, and refuses one token. */
  private final class RefusingExpired implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String value = headers.get(AUTHORIZATION);
      if (value != null) {
        seen.add(value);
      }
      if ("Bearer expired".equals(value)) {
        StatusRuntimeException error = FakeService.error(Code.UNAUTHENTICATED, "TOKEN_EXPIRED", 0);
        call.close(error.getStatus(), error.getTrailers());
        return new ServerCall.Listener<>() {};
      }
      return next.startCall(call, headers);
    }
  }
}
