package ocrgrpc.client;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import ocrgrpc.v1.OcrServiceGrpc;
import ocrgrpc.v1.OcrServiceGrpc.OcrServiceBlockingV2Stub;
import ocrgrpc.v1.ResumeExtractRequest;
import ocrgrpc.v1.ResumeExtractResponse;
import ocrgrpc.v1.UploadExtractRequest;
import ocrgrpc.v1.UploadExtractResponse;

/**
 * The events of one document while it is read.
 *
 * <p>Going through them also throws {@code UncheckedIOException} if the document cannot be read.
 */
public final class Extraction extends EventStream<UploadExtractResponse> {
  private final OcrServiceBlockingV2Stub stub;
  private final Source source;
  private final ExtractSettings settings;
  private final String requestId;
  private final Repetition repetition;
  private final Breaks breaks;
  private EventCall<UploadExtractResponse> call;
  private String extractionId = "";
  private int sequence;
  private boolean finished;
  private boolean failed;

  Extraction(
      Channel channel,
      CredentialsInterceptor credentials,
      Closing client,
      Source source,
      ExtractSettings settings) {
    super(client, settings.timeout());
    this.stub = bounded(OcrServiceGrpc.newBlockingV2Stub(channel));
    this.source = source;
    this.settings = settings;
    this.requestId =
        settings.requestId().isEmpty() ? UUID.randomUUID().toString() : settings.requestId();
    this.repetition =
        new Repetition(ServiceConfig.retryPolicy("OcrService", "UploadExtract"), true, credentials);
    this.breaks =
        new Breaks(ServiceConfig.retryPolicy("OcrService", "ResumeExtract"), settings.patience());
  }

  /** Returns the name of the request; with it, a repetition of the extraction costs nothing. */
  public String requestId() {
    return requestId;
  }

  @Override
  EventCall<UploadExtractResponse> open() throws InterruptedException, StatusException {
    call = extractionId.isEmpty() ? upload() : resume();
    return call;
  }

  @Override
  Optional<UploadExtractResponse> take(UploadExtractResponse event) {
    if (event.hasFailed()) {
      failed = !extractionId.isEmpty();
      throw refusal(event);
    }
    if (event.getSequence() <= sequence) {
      return Optional.empty();
    }
    if (event.getSequence() > sequence + 1) {
      failed = true;
      throw OcrException.of(Status.Code.DATA_LOSS, "An event is missing after " + sequence + ".");
    }
    breaks.received();
    sequence = event.getSequence();
    if (event.hasStarted()) {
      extractionId = event.getStarted().getExtractionId();
    }
    finished = event.hasFinished();
    return Optional.of(event);
  }

  @Override
  boolean isFinished() {
    return finished;
  }

  @Override
  Duration recover(OcrException error) throws InterruptedException {
    boolean started = !extractionId.isEmpty();
    if (failed || !(started ? settings.resumable() : source.isRepeatable())) {
      throw error;
    }
    return started ? breaks.delay(error) : repetition.delay(error);
  }

  private EventCall<UploadExtractResponse> upload() throws InterruptedException, StatusException {
    BlockingClientCall<UploadExtractRequest, UploadExtractResponse> upload =
        breaks.attempt(repetition.attempt(stub)).uploadExtract();
    began(upload);
    UploadExtractRequest first =
        UploadExtractRequest.newBuilder()
            .setOptions(settings.options())
            .setFileName(source.fileName())
            .setSizeBytes(source.sizeBytes())
            .setRequestId(requestId)
            .setResumable(settings.resumable())
            .build();
    Pieces.send(
        upload,
        source,
        body -> first.toBuilder().setContent(body).build(),
        body -> UploadExtractRequest.newBuilder().setContent(body).build());
    return upload::read;
  }

  private EventCall<UploadExtractResponse> resume() {
    BlockingClientCall<?, ResumeExtractResponse> resumed =
        breaks
            .attempt(stub)
            .resumeExtract(
                ResumeExtractRequest.newBuilder()
                    .setExtractionId(extractionId)
                    .setAfterSequence(sequence)
                    .build());
    began(resumed);
    return () -> event(breaks.read(resumed));
  }

  /** Both messages have the same fields and numbers, so the bytes of one are those of the other. */
  private static UploadExtractResponse event(ResumeExtractResponse response) {
    try {
      return response == null ? null : UploadExtractResponse.parseFrom(response.toByteString());
    } catch (InvalidProtocolBufferException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Returns the error of a call that says `failed`: its status if that comes too. */
  private OcrException refusal(UploadExtractResponse event) {
    try {
      while (call.read() != null) {
        // Nothing follows the last event.
      }
    } catch (StatusException error) {
      OcrException refusal = OcrException.of(error);
      if (refusal.isOfService()) {
        return refusal;
      }
    } catch (InterruptedException interruption) {
      failed = true;
      return Closing.interrupted();
    }
    return OcrException.of(event.getFailed().getStatus());
  }
}
