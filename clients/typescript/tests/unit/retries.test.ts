import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  createContextValues,
  createRouterTransport,
  type HandlerContext,
} from "@connectrpc/connect";
import { OcrService } from "ocr-grpc-client/node";
import { type ServiceConfig, ServicePolicy } from "#dist/core/policy.js";
import { retries, withoutRetries } from "#dist/core/retries.js";
import { Life } from "#dist/core/waiting.js";
import { ErrorInfoSchema, RetryInfoSchema } from "#dist/gen/google/rpc/error_details_pb.js";

const PUSHBACK = "grpc-retry-pushback-ms";

function config(overrides: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    methodConfig: [
      {
        name: [{ service: "ocr_grpc.v1.OcrService" }],
        timeout: "0.4s",
        retryPolicy: {
          maxAttempts: 4,
          initialBackoff: "0.001s",
          maxBackoff: "0.002s",
          backoffMultiplier: 2,
          retryableStatusCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
        },
      },
    ],
    ...overrides,
  };
}

type Answer = (attempt: number, context: HandlerContext) => void | Promise<void>;

/** Calls a service that fails as `answer` throws; counts the attempts. */
function service(answer: Answer, policy = new ServicePolicy(config()), life?: Life) {
  const seen: Headers[] = [];
  const once = async (context: HandlerContext) => {
    seen.push(context.requestHeader);
    await answer(seen.length, context);
  };
  const transport = createRouterTransport(
    ({ service: route }) =>
      route(OcrService, {
        async getCapabilities(_, context) {
          await once(context);
          return { version: "1" };
        },
        async *streamExtract(request, context) {
          await once(context);
          yield { sequence: request.content.length };
          await answer(100 + seen.length, context);
        },
      }),
    { transport: { interceptors: [retries(policy, life)] } },
  );
  return { client: createClient(OcrService, transport), seen };
}

const failure = (code: Code, metadata?: Record<string, string>) =>
  new ConnectError("no", code, metadata);

function until(attempt: number, code: Code, metadata?: Record<string, string>): Answer {
  return (made) => {
    if (made < attempt) throw failure(code, metadata);
  };
}

const codeIs = (code: Code) => (error: unknown) => ConnectError.from(error).code === code;

test("a call is made again until it succeeds, and says how often it was", async () => {
  const { client, seen } = service(until(3, Code.Unavailable));
  assert.equal((await client.getCapabilities({})).version, "1");
  assert.deepEqual(
    seen.map((headers) => headers.get("grpc-previous-rpc-attempts")),
    [null, "1", "2"],
  );
});

test("it is made no more often than the config says", async () => {
  const { client, seen } = service(until(99, Code.Unavailable));
  await assert.rejects(client.getCapabilities({}), codeIs(Code.Unavailable));
  assert.equal(seen.length, 4);
});

test("other codes fail at once", async () => {
  const { client, seen } = service(until(99, Code.NotFound));
  await assert.rejects(client.getCapabilities({}), codeIs(Code.NotFound));
  assert.equal(seen.length, 1);
});

test("a pushback is waited for", async () => {
  const { client, seen } = service(until(2, Code.ResourceExhausted, { [PUSHBACK]: "60" }));
  const before = Date.now();
  await client.getCapabilities({});
  assert.ok(Date.now() - before >= 55);
  assert.equal(seen.length, 2);
});

test("a pushback that says no, or nothing that makes sense, ends it", async () => {
  for (const value of ["-1", "soon", ""]) {
    const { client, seen } = service(until(2, Code.ResourceExhausted, { [PUSHBACK]: value }));
    await assert.rejects(client.getCapabilities({}), codeIs(Code.ResourceExhausted));
    assert.equal(seen.length, 1, value);
  }
});

test("where a browser hides the pushback, the details say the same", async () => {
  const refusal = (seconds?: number) => {
    const error = failure(Code.ResourceExhausted);
    const info = create(ErrorInfoSchema, { domain: "ocr_grpc", reason: "RATE_LIMITED" });
    const retry = create(RetryInfoSchema, { retryDelay: { seconds: BigInt(seconds ?? 0) } });
    error.details = [
      { desc: ErrorInfoSchema, value: info },
      ...(seconds === undefined ? [] : [{ desc: RetryInfoSchema, value: retry }]),
    ];
    return error;
  };
  for (const [seconds, attempts] of [
    [0, 2],
    [60, 1],
    [undefined, 1],
  ] as const) {
    const { client, seen } = service((made) => {
      if (made === 1) throw refusal(seconds);
    });
    await client.getCapabilities({}).catch(() => undefined);
    assert.equal(seen.length, attempts, String(seconds));
  }
});

test("a deadline holds over all attempts, and goes to the server", async () => {
  const { client, seen } = service(async (_, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    throw failure(Code.Canceled);
  });
  await assert.rejects(client.getCapabilities({}), codeIs(Code.DeadlineExceeded));
  assert.equal(seen.length, 1);
  assert.match(seen[0]?.get("grpc-timeout") ?? "", /^(400|39[0-9])m$/);
});

test("a retry that the deadline leaves no time for is not waited for", async () => {
  const { client, seen } = service(until(2, Code.Unavailable, { [PUSHBACK]: "5000" }));
  const before = Date.now();
  await assert.rejects(client.getCapabilities({}), codeIs(Code.Unavailable));
  assert.ok(Date.now() - before < 350);
  assert.equal(seen.length, 1);
});

test("a client that is closed ends its calls, and makes no new ones", async () => {
  const life = new Life();
  const { client, seen } = service(
    async (_, { signal }) => {
      life.end(failure(Code.Canceled));
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    new ServicePolicy(config()),
    life,
  );
  await assert.rejects(client.getCapabilities({}), codeIs(Code.Canceled));
  await assert.rejects(client.getCapabilities({}), codeIs(Code.Canceled));
  assert.equal(seen.length, 1);
});

test("whatever a caller's signal says is a cancellation", async () => {
  for (const reason of ["stop", new Error("mine"), undefined]) {
    const { client } = service(until(2, Code.Unavailable, { [PUSHBACK]: "300" }));
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 5);
    await assert.rejects(
      client.getCapabilities({}, { signal: stop.signal }),
      codeIs(Code.Canceled),
    );
  }
});

test("a caller's signal ends the wait", async () => {
  const { client } = service(until(2, Code.Unavailable, { [PUSHBACK]: "300" }));
  const signal = AbortSignal.timeout(20);
  await assert.rejects(client.getCapabilities({}, { signal }), codeIs(Code.Canceled));
});

test("a stream is made again with its message while nothing has arrived", async () => {
  const { client, seen } = service(until(3, Code.Unavailable));
  const sizes = [];
  for await (const { sequence } of client.streamExtract({ content: new Uint8Array(7) })) {
    sizes.push(sequence);
  }
  assert.deepEqual(sizes, [7]);
  assert.equal(seen.length, 3);
});

test("a stream of which something arrived is not", async () => {
  const { client, seen } = service((made) => {
    if (made > 100) throw failure(Code.Unavailable);
  });
  const stream = client.streamExtract({ content: new Uint8Array(7) })[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value.sequence, 7);
  await assert.rejects(stream.next(), codeIs(Code.Unavailable));
  assert.equal(seen.length, 1);
});

test("whoever repeats calls themselves switches retries off", async () => {
  const { client, seen } = service(until(2, Code.Unavailable));
  const contextValues = createContextValues().set(withoutRetries, true);
  await assert.rejects(client.getCapabilities({}, { contextValues }));
  assert.equal(seen.length, 1);
});

test("retries are throttled while most calls fail", async () => {
  const retryThrottling = { maxTokens: 4, tokenRatio: 0.1 };
  const policy = new ServicePolicy(config({ retryThrottling }));
  const { client, seen } = service(until(99, Code.Unavailable), policy);
  await assert.rejects(client.getCapabilities({}));
  assert.equal(seen.length, 2);
  await assert.rejects(client.getCapabilities({}));
  assert.equal(seen.length, 3);
});
