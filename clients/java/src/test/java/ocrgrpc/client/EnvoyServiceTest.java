package ocrgrpc.client;

/** The suite by way of the sidecar. */
final class EnvoyServiceTest extends ServiceSuite {
  @Override
  String address() {
    return Stage.variable("OCR_ENVOY");
  }

  @Override
  String tlsAddress() {
    return Stage.variable("OCR_TLS_ENVOY");
  }
}
