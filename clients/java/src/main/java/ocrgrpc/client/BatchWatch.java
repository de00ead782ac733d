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
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final BatchServiceBlockingV2Stub stub;
  private final WatchBatchRequest request;
  private final Breaks breaks =
      new Breaks(ServiceConfig.retryPolicy("BatchService", "WatchBatch"), PATIENCE, closing());
  private int sequence;
  private boolean finished;

  BatchWatch(Channel channel, String batchId, int afterSequence, boolean pages) {
    stub = BatchServiceGrpc.newBlockingV2Stub(channel);
    request = WatchBatchRequest.newBuilder().setBatchId(batchId).setPages(pages).build();
    sequence = afterSequence;
  }

  @Override
  EventCall<WatchBatchResponse> open() {
    breaks.called();
    BlockingClientCall<?, WatchBatchResponse> call =
        stub.watchBatch(request.toBuilder().setAfterSequence(sequence).build());
    began(call);
    return call::read;
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
  void recover(OcrException error) {
    breaks.await(error);
  }
}
