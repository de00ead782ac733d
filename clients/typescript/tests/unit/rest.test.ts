// What the browser's client makes of answers to its uploads, with a server that says what a test wants.
import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Code, connect, OcrError, type Source, SourceError } from "ocr-grpc-client/browser";

/** Uploads something to a server that answers so. Returns the error, and how many uploads came. */
async function upload(
  answer: (response: ServerResponse) => void,
  { source = new Uint8Array(9) as Source, signal = new AbortController().signal } = {},
): Promise<{ error: unknown; uploads: number }> {
  let uploads = 0;
  const server = createServer((request, response) => {
    uploads += 1;
    request
      .on("error", () => undefined)
      .resume()
      .on("end", () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    await client.uploadDocument(source, { signal });
    return { error: undefined, uploads };
  } catch (error) {
    return { error, uploads };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const answering = (status: number, body: string) => (response: ServerResponse) => {
  response.writeHead(status, { "x-request-id": "r1" }).end(body);
};

test("a refusal is told with its details, those that are new left out", async () => {
  const domain = { domain: "ocr_grpc", reason: "NEW" };
  const details = [
    { "@type": "type.googleapis.com/google.rpc.Help", links: [] },
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", ...domain },
  ];
  const body = JSON.stringify({ code: Code.PermissionDenied, message: "No.", details });
  const { error } = await upload(answering(403, body));
  assert.ok(error instanceof OcrError);
  const { code, reason, message, requestId } = error;
  assert.deepEqual([code, reason, message, requestId], [Code.PermissionDenied, "NEW", "No.", "r1"]);
});

test("what a proxy answers has the code that gRPC gives it", async () => {
  for (const [status, code] of [
    [404, Code.Unimplemented],
    [502, Code.Unavailable],
    [500, Code.Unknown],
  ] as const) {
    const { error } = await upload(answering(status, "<html>"));
    assert.equal(OcrError.from(error).code, code, String(status));
  }
});

test("a connection that is cut is UNAVAILABLE", async () => {
  const { error } = await upload((response) => response.destroy());
  assert.equal(OcrError.from(error).code, Code.Unavailable);
});

test("a signal ends an upload, whatever its reason", async () => {
  const stop = new AbortController();
  const { error } = await upload(() => stop.abort("enough"), { signal: stop.signal });
  assert.equal(OcrError.from(error).code, Code.Canceled);
});

test("a file that was changed after it was chosen is the caller's error", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ocr-"));
  try {
    await writeFile(join(folder, "a.txt"), "one");
    const source = (await openAsBlob(join(folder, "a.txt"))) as unknown as Source;
    await appendFile(join(folder, "a.txt"), "two");
    const { error } = await upload(answering(200, "{}"), { source });
    assert.ok(error instanceof SourceError, String(error));
  } finally {
    await rm(folder, { recursive: true });
  }
});
