import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { OcrError, UploadExtractResponseSchema } from "ocr-grpc-client/node";
import { jsonLines } from "#dist/browser/ndjson.js";
import { gapless, Patience, type Source } from "#dist/core/gapless.js";
import { PIECE_BYTES, rechunked } from "#dist/node/sources.js";
import { TextInOrder } from "#dist/node/text-in-order.js";

interface Event {
  readonly sequence: number;
}

const retry = {
  maxAttempts: 5,
  initialBackoffMs: 1,
  maxBackoffMs: 2,
  backoffMultiplier: 2,
  codes: new Set<Code>(),
};

/** A source of five events whose calls break off as `calls` says: after how many events, and with what. */
function breaking(calls: [events: number, end?: Error][], silenceMs = 1000) {
  const asked: number[] = [];
  const patience = new Patience(silenceMs, retry);
  const source: Source<Event> = {
    async *open(after) {
      const [count, end] = calls[asked.length] ?? [9];
      asked.push(after);
      const last = Math.min(after + count, 5);
      for (let sequence = after + 1; sequence <= last; sequence += 1) yield { sequence };
      if (end) throw end;
    },
    mayEnd: false,
    isLast: ({ sequence }) => sequence === 5,
    waitMs: (error) => patience.waitMs(error),
    silentUntil: () => patience.until,
    heard: () => patience.heard(),
  };
  return { source, asked };
}

async function numbers(source: Source<Event>, signal = new AbortController().signal) {
  const all: number[] = [];
  for await (const { sequence } of gapless(source, 0, signal)) all.push(sequence);
  return all;
}

const broken = new ConnectError("reset", Code.Unavailable);

test("a stream goes on where it broke off", async () => {
  const { source, asked } = breaking([[2, broken], [0, broken], [1], [9]]);
  assert.deepEqual(await numbers(source), [1, 2, 3, 4, 5]);
  assert.deepEqual(asked, [0, 2, 2, 3]);
});

test("a refusal ends it", async () => {
  const { source, asked } = breaking([[2, new ConnectError("no", Code.PermissionDenied)]]);
  await assert.rejects(numbers(source), OcrError);
  assert.equal(asked.length, 1);
});

test("a connection that does not come back is given up", async () => {
  const calls = Array.from({ length: 999 }, (): [number, Error] => [0, broken]);
  const { source } = breaking(calls, 50);
  await assert.rejects(numbers(source), (error) => OcrError.from(error).code === Code.Unavailable);
});

test("a call that brings nothing after a break is given up too", async () => {
  const { source } = breaking([[1, broken]], 50);
  const open = source.open;
  source.open = (after, signal) => (after === 0 ? open(after, signal) : silent(signal));
  await assert.rejects(numbers(source), (error) => OcrError.from(error).code === Code.Unavailable);
});

async function* silent(signal: AbortSignal): AsyncGenerator<Event> {
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

test("a call that ends well ends it where nothing more can come", async () => {
  const { source, asked } = breaking([[0]]);
  assert.deepEqual(await numbers({ ...source, mayEnd: true }), []);
  assert.deepEqual(asked, [0]);
});

test("events that come twice are given out once, and a gap is asked for", async () => {
  const { source, asked } = breaking([]);
  const open = source.open;
  source.open = (after, signal) => {
    if (asked.length > 0) return open(after, signal);
    asked.push(after);
    return (async function* () {
      yield* [1, 1, 2, 4].map((sequence) => ({ sequence }));
    })();
  };
  assert.deepEqual(await numbers(source), [1, 2, 3, 4, 5]);
  assert.deepEqual(asked, [0, 2]);
});

test("pieces are cut and joined to one size", async () => {
  const sizes = async (...pieces: number[]) => {
    const all: number[] = [];
    for await (const piece of rechunked(pieces.map((size) => new Uint8Array(size)))) {
      all.push(piece.length);
    }
    return all;
  };
  assert.deepEqual(await sizes(PIECE_BYTES * 2 + 5), [PIECE_BYTES, PIECE_BYTES, 5]);
  assert.deepEqual(await sizes(10, 20, PIECE_BYTES), [PIECE_BYTES, 30]);
  assert.deepEqual(await sizes(0), []);
});

test("lines of JSON come whole, wherever the body was cut, and a broken last one is dropped", async () => {
  const bytes = new TextEncoder().encode('{"a":"😀"}\n\n{"a":"ä"}\n{"a":');
  for (const size of [1, 3, 7, 100]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size)
          controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const lines = [];
    for await (const line of jsonLines<{ a: string }>(body)) lines.push(line.a);
    assert.deepEqual(lines, ["😀", "ä"]);
  }
});

test("pages that are read at once are written one after the other", () => {
  let written = "";
  const text = new TextInOrder((piece) => {
    written += piece;
  });
  const add = (kind: "delta" | "pageFinished", pageNumber: number, piece: string) =>
    text.add(
      create(UploadExtractResponseSchema, {
        event: { case: kind, value: { pageNumber, revision: 1, text: piece } },
      }),
    );
  add("delta", 1, "One");
  add("delta", 2, "Two");
  assert.equal(written, "One");
  add("pageFinished", 2, "Two and a half");
  add("delta", 1, " more");
  add("pageFinished", 1, "One more");
  text.end();
  assert.equal(written, "One more\n\nTwo and a half\n");
});
