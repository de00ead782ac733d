package ocrgrpc.client;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import java.util.List;
import java.util.UUID;
import ocrgrpc.v1.Batch;
import ocrgrpc.v1.BatchServiceGrpc;
import ocrgrpc.v1.CreateBatchRequest;
import ocrgrpc.v1.NewBatchDocument;
import ocrgrpc.v1.UploadDocumentRequest;
import ocrgrpc.v1.UploadDocumentResponse;
import ocrgrpc.v1.UploadedDocument;

/** Makes batches of files. */
final class BatchCalls {
  private final Channel channel;
  private final CredentialsInterceptor credentials;
  private final Closing client;

  BatchCalls(Channel channel, CredentialsInterceptor credentials, Closing client) {
    this.channel = channel;
    this.credentials = credentials;
    this.client = client;
  }

  Batch create(List<Source> sources, CreateBatchRequest settings) {
    CreateBatchRequest.Builder request = settings.toBuilder();
    if (request.getRequestId().isEmpty()) {
      request.setRequestId(UUID.randomUUID().toString());
    }
    for (Source source : sources) {
      request.addDocuments(NewBatchDocument.newBuilder().setUploadId(upload(source).getUploadId()));
    }
    try {
      return BatchServiceGrpc.newBlockingStub(channel).createBatch(request.build()).getBatch();
    } catch (StatusRuntimeException error) {
      throw OcrException.of(error);
    }
  }

  private UploadedDocument upload(Source source) {
    // An upload is not free to repeat when it may have arrived: it would be kept twice.
    Repetition repetition =
        new Repetition(
            ServiceConfig.retryPolicy("BatchService", "UploadDocument"), false, credentials);
    while (true) {
      try {
        try {
          return uploadOnce(source, repetition);
        } catch (StatusException refused) {
          OcrException error = OcrException.of(refused);
          if (client.isClosed()) {
            throw Closing.closed();
          }
          if (!source.isRepeatable()) {
            throw error;
          }
          client.pause(repetition.delay(error));
        }
      } catch (InterruptedException interruption) {
        throw Closing.interrupted();
      }
    }
  }

  private UploadedDocument uploadOnce(Source source, Repetition repetition)
      throws InterruptedException, StatusException {
    BlockingClientCall<UploadDocumentRequest, UploadDocumentResponse> call =
        repetition.attempt(BatchServiceGrpc.newBlockingV2Stub(channel)).uploadDocument();
    UploadDocumentRequest first =
        UploadDocumentRequest.newBuilder()
            .setFileName(source.fileName())
            .setSizeBytes(source.sizeBytes())
            .build();
    try {
      Pieces.send(
          call,
          source,
          body -> first.toBuilder().setContent(body).build(),
          body -> UploadDocumentRequest.newBuilder().setContent(body).build());
      UploadDocumentResponse response = call.read();
      if (response == null) {
        throw Status.UNKNOWN.withDescription("The upload was not answered.").asException();
      }
      return response.getDocument();
    } catch (InterruptedException interruption) {
      call.cancel("The thread was interrupted.", interruption);
      throw interruption;
    }
  }
}
