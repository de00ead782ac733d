package ocrgrpc.client;

/** The suite by native gRPC. */
final class NativeServiceTest extends ServiceSuite {
  @Override
  String address() {
    return Stage.variable("OCR_GRPC");
  }

  @Override
  String tlsAddress() {
    return Stage.variable("OCR_TLS_GRPC");
  }
}
