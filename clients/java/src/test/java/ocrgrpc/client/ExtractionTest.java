package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Code;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import ocrgrpc.v1.ExtractionFailed;
import ocrgrpc.v1.ExtractionFinished;
import ocrgrpc.v1.ExtractionStarted;
import ocrgrpc.v1.OcrServiceGrpc;
import ocrgrpc.v1.ResumeExtractRequest;
import ocrgrpc.v1.ResumeExtractResponse;
import ocrgrpc.v1.TextDelta;
import ocrgrpc.v1.UploadExtractRequest;
import ocrgrpc.v1.UploadExtractResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an extraction does when calls break off or are refused. */
@Timeout(60)
final class ExtractionTest {
  private static final UploadExtractResponse STARTED =
      UploadExtractResponse.newBuilder()
          .setSequence(1)
          .setStarted(ExtractionStarted.newBuilder().setExtractionId("id"))
          .build();

  /** Each call's events, and the error it ends with, if it does with one. */
  private record Answer(Throwable error, UploadExtractResponse... events) {}

  private final Deque<Answer> answers = new ArrayDeque<>();
  private final List<String> calls = new ArrayList<>();
  private final CountDownLatch called = new CountDownLatch(1);
  private final CountDownLatch cancelled = new CountDownLatch(1);
  private long bytes;

  @Test
  void aBrokenStreamGoesOnAfterTheLastEvent() throws IOException {
    answer(Status.UNAVAILABLE.asException(), STARTED, delta(2));
    answer(Status.INTERNAL.asException());
    answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 0.01));
    answer(FakeService.error(Code.UNAVAILABLE, "SHUTTING_DOWN", 0), delta(2), delta(3));
    answer(null, delta(4), finished(5));
    assertEquals(List.of(1, 2, 3, 4, 5), read(Source.of(new byte[3], "a")));
    assertEquals(List.of("upload", "resume 2", "resume 2", "resume 2", "resume 3"), calls);
  }

  @Test
  void anErrorOfTheServiceEndsTheStream() throws IOException {
    answer(FakeService.error(Code.ABORTED, "EXTRACTION_RESUMED", 0), STARTED, delta(2));
    OcrException error = assertThrows(OcrException.class, () -> read(Source.of(new byte[3], "a")));
    assertEquals("EXTRACTION_RESUMED", error.reason());
    assertEquals("7", error.metadata().get("limit"));
  }

  @Test
  void patienceEnds() throws IOException {
    answer(Status.UNAVAILABLE.asException(), STARTED);
    for (int each = 0; each < 50; each++) {
      answer(Status.INTERNAL.withDescription("gone").asException());
    }
    ExtractSettings settings = ExtractSettings.DEFAULT.withPatience(Duration.ofMillis(500));
    OcrException error =
        assertThrows(OcrException.class, () -> read(Source.of(new byte[3], "a"), settings));
    assertEquals(Status.Code.INTERNAL, error.code());
  }

  @Test
  void anUploadThatDidNotBeginIsSentAgain() throws IOException {
    answer(Status.UNAVAILABLE.asException());
    answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 0.01), failed());
    answer(null, STARTED, finished(2));
    assertEquals(List.of(1, 2), read(Source.of(new byte[1 << 20], "a")));
    assertEquals(List.of("upload", "upload", "upload"), calls);
    assertEquals(3L << 20, bytes);
  }

  @Test
  void anUploadIsSentAsOftenAsThePolicyAllows() throws IOException {
    for (int each = 0; each < 20; each++) {
      answer(FakeService.error(Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 0.01));
    }
    assertThrows(OcrException.class, () -> read(Source.of(new byte[3], "a")));
    assertEquals(5, calls.size());
  }

  @Test
  void aStreamOfTheCallerIsSentOnce() throws IOException {
    answer(Status.UNAVAILABLE.asException());
    Source source = Source.of(new ByteArrayInputStream(new byte[3]), "a");
    assertThrows(OcrException.class, () -> read(source));
    assertEquals(List.of("upload"), calls);
  }

  @Test
  void closingFromAnotherThreadEndsTheCall() throws Exception {
    try (FakeService service = new FakeService(new Answering());
        OcrClient client = service.client()) {
      Extraction extraction = client.extract(Source.of(new byte[3], "a"), ExtractSettings.DEFAULT);
      CompletableFuture<Void> reading =
          CompletableFuture.runAsync(() -> assertTrue(extraction.iterator().hasNext()));
      assertTrue(called.await(30, TimeUnit.SECONDS));
      extraction.close();
      Exception error = assertThrows(Exception.class, reading::get);
      assertEquals(Status.Code.CANCELLED, OcrException.of(error).code());
      assertTrue(cancelled.await(30, TimeUnit.SECONDS));
    }
  }

  private List<Integer> read(Source source) throws IOException {
    return read(source, ExtractSettings.DEFAULT);
  }

  private List<Integer> read(Source source, ExtractSettings settings) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    try (FakeService service = new FakeService(new Answering());
        OcrClient client = service.client();
        Extraction extraction = client.extract(source, settings)) {
      for (UploadExtractResponse event : extraction) {
        numbers.add(event.getSequence());
      }
    }
    return numbers;
  }

  private void answer(Throwable error, UploadExtractResponse... events) {
    answers.add(new Answer(error, events));
  }

  private static UploadExtractResponse delta(int sequence) {
    return UploadExtractResponse.newBuilder()
        .setSequence(sequence)
        .setDelta(TextDelta.newBuilder().setPageNumber(1).setRevision(1).setText("a"))
        .build();
  }

  private static UploadExtractResponse failed() {
    return UploadExtractResponse.newBuilder()
        .setSequence(1)
        .setFailed(ExtractionFailed.getDefaultInstance())
        .build();
  }

  private static UploadExtractResponse finished(int sequence) {
    return UploadExtractResponse.newBuilder()
        .setSequence(sequence)
        .setFinished(ExtractionFinished.getDefaultInstance())
        .build();
  }

  private final class Answering extends OcrServiceGrpc.OcrServiceImplBase {
    @Override
    public StreamObserver<UploadExtractRequest> uploadExtract(
        StreamObserver<UploadExtractResponse> responses) {
      ((ServerCallStreamObserver<?>) responses).setOnCancelHandler(cancelled::countDown);
      note("upload");
      return new StreamObserver<>() {
        @Override
        public void onNext(UploadExtractRequest request) {
          bytes += request.getContent().getData().size();
        }

        @Override
        public void onError(Throwable error) {
          // The call was cancelled.
        }

        @Override
        public void onCompleted() {
          if (!answers.isEmpty()) {
            send(answers.remove(), responses);
          }
        }
      };
    }

    @Override
    public void resumeExtract(
        ResumeExtractRequest request, StreamObserver<ResumeExtractResponse> responses) {
      note("resume " + request.getAfterSequence());
      Answer answer = answers.remove();
      for (UploadExtractResponse event : answer.events()) {
        responses.onNext(resumed(event.toByteString()));
      }
      end(answer, responses);
    }

    private void note(String call) {
      synchronized (calls) {
        calls.add(call);
      }
      called.countDown();
    }

    private void send(Answer answer, StreamObserver<UploadExtractResponse> responses) {
      Arrays.stream(answer.events()).forEach(responses::onNext);
      end(answer, responses);
    }

    private void end(Answer answer, StreamObserver<?> responses) {
      if (answer.error() == null) {
        responses.onCompleted();
      } else {
        responses.onError(answer.error());
      }
    }

    private ResumeExtractResponse resumed(ByteString event) {
      try {
        return ResumeExtractResponse.parseFrom(event);
      } catch (InvalidProtocolBufferException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }
}
