// What an extraction makes of refusals and breaks, with a service that says what a test wants.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
} from "@connectrpc/connect";
import { type ExtractEvent, OcrService } from "ocr-grpc-client/node";
import { extraction } from "#dist/core/extraction.js";
import type { Document, Sender } from "#dist/core/sending.js";
import { Scope } from "#dist/core/waiting.js";
import { ErrorInfoSchema, RetryInfoSchema } from "#dist/gen/google/rpc/error_details_pb.js";

const retry = {
  maxAttempts: 5,
  initialBackoffMs: 1,
  maxBackoffMs: 2,
  backoffMultiplier: 2,
  codes: new Set<Code>(),
};

function tooMany(): ConnectError {
  const error = new ConnectError("At most 1.", Code.ResourceExhausted);
  const info = { domain: "ocr_grpc", reason: "TOO_MANY_STREAMS" };
  error.details = [
    { desc: ErrorInfoSchema, value: info },
    { desc: RetryInfoSchema, value: { retryDelay: { nanos: 1_000_000 } } },
  ];
  return error;
}

type Part = (attempt: number) => AsyncIterable<unknown>;

/** Reads a document of which each attempt to send it goes as `sent` says, and the rest comes from `rest`. */
async function numbers(sent: Part, rest: Part): Promise<number[]> {
  let attempts = 0;
  const sender = {
    extract: () => {
      attempts += 1;
      return sent(attempts);
    },
  } as unknown as Sender<Document>;
  const transport = createRouterTransport(({ service }) =>
    service(OcrService, { resumeExtract: ({ afterSequence }) => rest(afterSequence) as never }),
  );
  const ocr: Client<typeof OcrService> = createClient(OcrService, transport);
  const document = { fileName: "", repeatable: true };
  const scope = new Scope(undefined, 5000);
  const all: number[] = [];
  for await (const { sequence } of extraction(sender, ocr, retry, document, {}, scope)) {
    all.push(sequence);
  }
  return all;
}

const event = (sequence: number, name: string) =>
  ({ sequence, event: { case: name, value: { extractionId: "e1" } } }) as unknown as ExtractEvent;

test("a refusal that may be tried again is, though `failed` came, and what follows can be resumed", async () => {
  const seen = await numbers(
    async function* (attempt) {
      if (attempt === 1) {
        yield event(1, "failed");
        throw tooMany();
      }
      yield event(1, "started");
      throw new ConnectError("reset", Code.Unavailable);
    },
    async function* (after) {
      assert.equal(after, 1);
      yield event(2, "finished");
    },
  );
  assert.deepEqual(seen, [1, 2]);
});

test("what was begun and has failed is not resumed", async () => {
  const failing = numbers(
    async function* () {
      yield event(1, "started");
      yield event(2, "failed");
      throw new ConnectError("reset", Code.Unavailable);
    },
    () => assert.fail("It was resumed."),
  );
  await assert.rejects(failing);
});
