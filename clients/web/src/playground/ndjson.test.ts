import { expect, test } from "vitest";
import { jsonLines } from "./ndjson.ts";

function body(...pieces: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(stream)) values.push(value);
  return values;
}

test("lines are put together from pieces that end anywhere", async () => {
  expect(await all(body('{"a"', ":1}\n", '{"a":2}\n{"a"', ":3", "}\n"))).toEqual([
    { a: 1 },
    { a: 2 },
    { a: 3 },
  ]);
});

test("a character whose bytes come apart stays whole", async () => {
  const bytes = new TextEncoder().encode('{"a":"ü🙂"}\n');
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await all(stream)).toEqual([{ a: "ü🙂" }]);
});

test("a line that was cut off is no line", async () => {
  expect(await all(body('{"a":1}\n{"a":'))).toEqual([{ a: 1 }]);
});
