package ocrgrpc.client;

import com.google.api.HttpBody;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.function.Function;
import ocrgrpc.v1.BatchServiceGrpc;
import ocrgrpc.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import ocrgrpc.v1.DownloadBatchDocumentRequest;
import ocrgrpc.v1.DownloadBatchDocumentResponse;
import ocrgrpc.v1.DownloadBatchRequest;
import ocrgrpc.v1.DownloadBatchResponse;
import ocrgrpc.v1.ResultFormat;

/** Brings the results of batches, piece by piece. */
final class Downloads {
  private final BatchServiceBlockingV2Stub stub;

  Downloads(Channel channel) {
    stub = BatchServiceGrpc.newBlockingV2Stub(channel);
  }

  String text(String batchId, String documentId) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      copy(document(batchId, documentId, ResultFormat.RESULT_FORMAT_TEXT), bytes);
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible); // it writes to memory
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  void download(String batchId, String documentId, ResultFormat format, Path file)
      throws IOException {
    write(document(batchId, documentId, format), file);
  }

  void downloadArchive(String batchId, ResultFormat format, Path file) throws IOException {
    DownloadBatchRequest request =
        DownloadBatchRequest.newBuilder().setBatchId(batchId).setFormat(format).build();
    write(pieces(stub.downloadBatch(request), DownloadBatchResponse::getContent), file);
  }

  private Download document(String batchId, String documentId, ResultFormat format) {
    DownloadBatchDocumentRequest request =
        DownloadBatchDocumentRequest.newBuilder()
            .setBatchId(batchId)
            .setDocumentId(documentId)
            .setFormat(format)
            .build();
    return pieces(stub.downloadBatchDocument(request), DownloadBatchDocumentResponse::getContent);
  }

  /** A file comes under another name first: what was cut off is never taken for the whole. */
  private static void write(Download download, Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path part = folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      try (OutputStream to = Files.newOutputStream(part, StandardOpenOption.CREATE_NEW)) {
        copy(download, to);
      }
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Sends all pieces somewhere. */
  private interface Download {
    void to(OutputStream stream) throws IOException, InterruptedException, StatusException;
  }

  private static <R> Download pieces(BlockingClientCall<?, R> call, Function<R, HttpBody> content) {
    return stream -> {
      try {
        for (R piece = call.read(); piece != null; piece = call.read()) {
          content.apply(piece).getData().writeTo(stream);
        }
      } catch (IOException | InterruptedException error) {
        call.cancel("The download was given up.", error);
        throw error;
      }
    };
  }

  private static void copy(Download download, OutputStream stream) throws IOException {
    try {
      download.to(stream);
    } catch (InterruptedException | ClosedByInterruptException interruption) {
      throw Closing.interrupted();
    } catch (StatusException error) {
      throw OcrException.of(error);
    }
  }
}
