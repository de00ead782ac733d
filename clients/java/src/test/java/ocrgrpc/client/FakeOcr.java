package ocrgrpc.client;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import ocrgrpc.v1.ExtractionFailed;
import ocrgrpc.v1.ExtractionFinished;
import ocrgrpc.v1.ExtractionStarted;
import ocrgrpc.v1.OcrServiceGrpc;
import ocrgrpc.v1.ResumeExtractRequest;
import ocrgrpc.v1.ResumeExtractResponse;
import ocrgrpc.v1.TextDelta;
import ocrgrpc.v1.UploadExtractRequest;
import ocrgrpc.v1.UploadExtractResponse;

/** Answers extractions as a test says, one answer a call; without one left it says nothing. */
final class FakeOcr extends OcrServiceGrpc.OcrServiceImplBase {
  static final UploadExtractResponse STARTED =
      UploadExtractResponse.newBuilder()
          .setSequence(1)
          .setStarted(ExtractionStarted.newBuilder().setExtractionId("id"))
          .build();
  static final UploadExtractResponse FAILED =
      UploadExtractResponse.newBuilder()
          .setSequence(1)
          .setFailed(ExtractionFailed.getDefaultInstance())
          .build();

  /** Each call's events, a pause before the last, and the error it ends with, if with one. */
  private record Answer(Duration pause, Throwable error, UploadExtractResponse... events) {}

  final CountDownLatch called = new CountDownLatch(1);
  final CountDownLatch cancelled = new CountDownLatch(1);
  private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
  private final List<String> calls = new ArrayList<>();
  private volatile long bytes;

  /** Answers the next call with events and an error, or null for a good end. */
  void answer(Throwable error, UploadExtractResponse... events) {
    answerLate(Duration.ZERO, error, events);
  }

  /** The same, with a pause before the last event, or before the end if there is none. */
  void answerLate(Duration pause, Throwable error, UploadExtractResponse... events) {
    answers.add(new Answer(pause, error, events));
  }

  /** Returns what was called. */
  List<String> calls() {
    synchronized (calls) {
      return List.copyOf(calls);
    }
  }

  /** Returns how many bytes of documents came. */
  long bytes() {
    return bytes;
  }

  static UploadExtractResponse delta(int sequence) {
    return UploadExtractResponse.newBuilder()
        .setSequence(sequence)
        .setDelta(TextDelta.newBuilder().setPageNumber(1).setRevision(1).setText("a"))
        .build();
  }

  static UploadExtractResponse finished(int sequence) {
    return UploadExtractResponse.newBuilder()
        .setSequence(sequence)
        .setFinished(ExtractionFinished.getDefaultInstance())
        .build();
  }

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
        send(responses);
      }
    };
  }

  @Override
  public void resumeExtract(
      ResumeExtractRequest request, StreamObserver<ResumeExtractResponse> responses) {
    ((ServerCallStreamObserver<?>) responses).setOnCancelHandler(cancelled::countDown);
    note("resume " + request.getAfterSequence());
    send(
        new StreamObserver<>() {
          @Override
          public void onNext(UploadExtractResponse event) {
            responses.onNext(resumed(event));
          }

          @Override
          public void onError(Throwable error) {
            responses.onError(error);
          }

          @Override
          public void onCompleted() {
            responses.onCompleted();
          }
        });
  }

  private void note(String call) {
    synchronized (calls) {
      calls.add(call);
    }
    called.countDown();
  }

  private void send(StreamObserver<UploadExtractResponse> responses) {
    Answer answer = answers.poll();
    if (answer == null) {
      return;
    }
    int last = Math.max(0, answer.events().length - 1);
    Arrays.stream(answer.events()).limit(last).forEach(responses::onNext);
    try {
      Thread.sleep(answer.pause().toMillis());
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
    Arrays.stream(answer.events()).skip(last).forEach(responses::onNext);
    if (answer.error() == null) {
      responses.onCompleted();
    } else {
      responses.onError(answer.error());
    }
  }

  private static ResumeExtractResponse resumed(UploadExtractResponse event) {
    try {
      return ResumeExtractResponse.parseFrom(event.toByteString());
    } catch (InvalidProtocolBufferException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
