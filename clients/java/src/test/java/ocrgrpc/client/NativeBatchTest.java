package ocrgrpc.client;

/** Batches by native gRPC. */
final class NativeBatchTest extends BatchSuite {
  @Override
  String address() {
    return Stage.variable("OCR_GRPC");
  }
}
