// TLS, with an authority of one's own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Code, connect } from "ocr-grpc-client/node";
import { refusal, stage, using } from "./doors.js";

const DOORS = [
  { name: "gRPC", address: "OCR_TLS_GRPC", protocol: "grpc" },
  { name: "gRPC through Envoy", address: "OCR_TLS_ENVOY", protocol: "grpc" },
  { name: "gRPC-Web through Envoy", address: "OCR_TLS_ENVOY", protocol: "grpc-web" },
] as const;

// At once, because a refused certificate is tried again, as gRPC does with any that cannot connect.
describe("TLS", { concurrency: true }, () => {
  for (const { name, address, protocol } of DOORS) {
    test(`${name}: a certificate of a known authority is believed`, () => {
      const ca = readFileSync(stage("OCR_CA_FILE"));
      return using(connect(stage(address), { tls: { ca }, protocol }), async (client) => {
        assert.notEqual((await client.ocr.getCapabilities({})).version, "");
      });
    });

    test(`${name}: one of an unknown authority is not`, () =>
      using(connect(`https://${stage(address)}`, { protocol }), async (client) => {
        const error = await refusal(client.ocr.getCapabilities({}, { timeoutMs: 10_000 }));
        assert.equal(error.code, Code.Unavailable);
      }));
  }
});
