import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { serviceConfig } from "ocr-grpc-client/node";
import { backoffMs, ServicePolicy, Throttle } from "#dist/core/policy.js";

const policy = new ServicePolicy();

test("the config that ships is the service's", () => {
  const protos = "../../protos/ocr_grpc/v1/service_config.json"; // tests run in the package's folder
  const original = JSON.parse(readFileSync(protos, "utf8"));
  assert.deepEqual(serviceConfig, original);
  assert.deepEqual(JSON.parse(readFileSync("dist/service_config.json", "utf8")), original);
});

test("a method's own entry comes before its service's", () => {
  const read = policy.of("ocr_grpc.v1.KeysService", "ListKeys");
  const written = policy.of("ocr_grpc.v1.KeysService", "CreateKey");
  assert.deepEqual(read.retry?.codes, new Set([Code.Unavailable, Code.ResourceExhausted]));
  assert.deepEqual(written.retry?.codes, new Set([Code.ResourceExhausted]));
  assert.equal(written.timeoutMs, 30_000);
});

test("what is not named has neither deadline nor retries", () => {
  assert.deepEqual(policy.of("grpc.health.v1.Health", "Watch"), {});
  assert.equal(policy.of("ocr_grpc.v1.BatchService", "WatchBatch").timeoutMs, undefined);
  assert.equal(policy.of("ocr_grpc.v1.AuthService", "RefreshToken").retry, undefined);
});

test("backoff grows to its bound, give or take a fifth", () => {
  const { retry } = policy.of("ocr_grpc.v1.KeysService", "ListKeys");
  assert.ok(retry);
  const waits = (random: number) => [0, 1, 2, 9].map((n) => backoffMs(retry, n, () => random));
  assert.deepEqual(waits(0.5), [200, 400, 800, 5000]);
  assert.deepEqual(waits(0).map(Math.round), [160, 320, 640, 4000]);
});

test("retries end while half of the calls fail, and begin again when calls succeed", () => {
  const throttle = new Throttle({ maxTokens: 4, tokenRatio: 0.5 });
  throttle.failed();
  assert.ok(throttle.open);
  throttle.failed();
  assert.ok(!throttle.open);
  throttle.succeeded();
  assert.ok(throttle.open);
});
