package ocrgrpc.client;

/** Batches by way of the sidecar. */
final class EnvoyBatchTest extends BatchSuite {
  @Override
  String address() {
    return Stage.variable("OCR_ENVOY");
  }
}
