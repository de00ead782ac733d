// Files that are not what they seem, and addresses.
import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, SourceError } from "ocr-grpc-client/node";
import { documentOf } from "#dist/node/sources.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ocr-"));
});
after(() => rm(folder, { recursive: true }));

test("a folder is no document", async () => {
  await assert.rejects(documentOf(folder), (error) => {
    assert.ok(error instanceof SourceError);
    return error.message.includes("folder");
  });
});

test("a file that grows while it is sent is sent as it was", async () => {
  const path = join(folder, "growing.txt");
  await writeFile(path, "12345");
  const document = await documentOf(path);
  await appendFile(path, "67890");
  let bytes = 0;
  for await (const piece of document.pieces()) bytes += piece.length;
  assert.deepEqual([bytes, document.sizeBytes], [5, 5n]);
});

test("what is no file is read once", async () => {
  const { repeatable, sizeBytes } = await documentOf("/dev/null");
  assert.deepEqual([repeatable, sizeBytes], [false, 0n]);
});

test("an address has a port, unless it is a URL", () => {
  for (const address of ["[::1]:50051", "localhost:1", "https://ocr.example.com"]) connect(address);
  for (const address of ["", "localhost", "::1", "localhost:port", "unix:/tmp/socket"]) {
    assert.throws(() => connect(address), /host:port/, address);
  }
});

test("CommonJS may require the package", () => {
  const required = createRequire(import.meta.url)("ocr-grpc-client/node");
  assert.equal(typeof required.connect, "function");
});
