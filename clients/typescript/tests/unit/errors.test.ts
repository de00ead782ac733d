import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { asInGrpc, isBreak, OcrError } from "#dist/core/errors.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "#dist/gen/google/rpc/error_details_pb.js";

const infoOf = (domain: string, reason: string) =>
  create(ErrorInfoSchema, { domain, reason, metadata: { limit: "5" } });

function failure(code: Code, domain = "ocr_grpc", reason = "SOME_REASON"): OcrError {
  const error = new ConnectError("A sentence.", code, { "x-request-id": "r1" });
  const detail = { desc: ErrorInfoSchema, value: infoOf(domain, reason) };
  error.details = [detail];
  return new OcrError(error);
}

test("an error has everything that the service says", () => {
  const error = new ConnectError("Too much.", Code.ResourceExhausted, { "x-request-id": "r1" });
  error.metadata.append("x-request-id", "r1"); // headers and trailers say it
  const retry = create(RetryInfoSchema, { retryDelay: { seconds: 2n, nanos: 500_000_000 } });
  const fields = create(BadRequestSchema, {
    fieldViolations: [{ field: "options.dpi", description: "too high" }],
  });
  const quotas = create(QuotaFailureSchema, {
    violations: [{ subject: "user:1", description: "spent" }],
  });
  error.details = [
    { type: "google.rpc.ErrorInfo", value: toBinary(ErrorInfoSchema, infoOf("ocr_grpc", "FULL")) },
    { type: "google.rpc.RetryInfo", value: toBinary(RetryInfoSchema, retry) },
    { type: "google.rpc.BadRequest", value: toBinary(BadRequestSchema, fields) },
    { type: "google.rpc.QuotaFailure", value: toBinary(QuotaFailureSchema, quotas) },
  ];
  const { message, code, reason, retryDelayMs, metadata, requestId, ...rest } = new OcrError(error);
  assert.deepEqual(
    { message, code, reason, retryDelayMs, metadata, requestId },
    {
      message: "Too much.",
      code: Code.ResourceExhausted,
      reason: "FULL",
      retryDelayMs: 2500,
      metadata: { limit: "5" },
      requestId: "r1",
    },
  );
  assert.deepEqual(rest.fieldViolations, [{ field: "options.dpi", description: "too high" }]);
  assert.deepEqual(rest.quotaViolations, [{ subject: "user:1", description: "spent" }]);
});

test("what others say has no reason of ours", () => {
  assert.equal(failure(Code.Internal, "example.com").reason, "");
});

test("a break is what the service did not say, and UNAVAILABLE", () => {
  assert.ok(isBreak(failure(Code.Unavailable, "ocr_grpc", "SHUTTING_DOWN")));
  assert.ok(isBreak(failure(Code.Internal, "example.com")));
  assert.ok(isBreak(failure(Code.Canceled, "example.com")));
  assert.ok(!isBreak(failure(Code.Internal)));
  assert.ok(!isBreak(failure(Code.Aborted, "ocr_grpc", "EXTRACTION_RESUMED")));
  assert.ok(!isBreak(failure(Code.NotFound, "example.com")));
});

test("a lost connection is UNAVAILABLE, whatever the library calls it", () => {
  const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  const codes = [
    asInGrpc(new ConnectError("aborted", Code.Aborted, undefined, undefined, reset)),
    asInGrpc(new TypeError("Failed to fetch")),
    asInGrpc("missing trailer"),
    asInGrpc(new ConnectError("premature end of stream", Code.DataLoss)),
  ].map(({ code }) => code);
  assert.deepEqual(
    codes,
    codes.map(() => Code.Unavailable),
  );
});

test("a status that came stays what it is", () => {
  const answered = new ConnectError("no", Code.Internal, { "grpc-status": "13" });
  assert.equal(asInGrpc(answered).code, Code.Internal);
  assert.equal(asInGrpc(new ConnectError("no", Code.Canceled)).code, Code.Canceled);
});
