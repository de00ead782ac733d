package ocrgrpc.client;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.Optional;
import ocrgrpc.v1.BatchServiceGrpc;
import ocrgrpc.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import ocrgrpc.v1.WatchBatchRequest;
import ocrgrpc.v1.WatchBatchResponse;

/** The events of a batch, those that happened and those to come, until it has ended. */
public final class BatchWatch extends EventStream<WatchBatchResponse> {
  private final BatchServiceBlockingV2Stub stub;
  private final WatchBatchRequest request;
  private final Breaks breaks;
  private int sequence;
  private boolean finished;

  BatchWatch(Channel channel, Closing client, String batchId, WatchSettings settings) {
    super(client, settings.timeout());
    stub = bounded(BatchServiceGrpc.newBlockingV2Stub(channel));
    request = WatchBatchRequest.newBuilder().setBatchId(batchId).setPages(settings.pages()).build();
    breaks =
        new Breaks(ServiceConfig.retryPolicy("BatchService", "WatchBatch"), settings.patience());
    sequence = settings.afterSequence();
  }

  @Override
  EventCall<WatchBatchResponse> open() {
    WatchBatchRequest next = request.toBuilder().setAfterSequence(sequence).build();
    BlockingClientCall<?, WatchBatchResponse> call = breaks.attempt(stub).watchBatch(next);
    began(call);
    return () -> breaks.read(call);
  }

  @Override
  Optional<WatchBatchResponse> take(WatchBatchResponse event) {
    if (event.getSequence() <= sequence) {
      return Optional.empty();
    }
    if (event.getSequence() > sequence + 1) {
      throw OcrException.of(Status.Code.DATA_LOSS, "An event is missing after " + sequence + ".");
    }
    breaks.received();
    sequence = event.getSequence();
    finished = event.hasFinished();
    return Optional.of(event);
  }

  @Override
  boolean isFinished() {
    return finished;
  }

  @Override
  Duration recover(OcrException error) {
    return breaks.delay(error);
  }
}
