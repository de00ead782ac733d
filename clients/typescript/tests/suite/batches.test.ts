// Batches: made, watched, downloaded, cancelled.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  BatchState,
  Code,
  type NodeClient,
  ResultFormat,
  type WatchBatchResponse,
} from "ocr-grpc-client/node";
import { asNewUser, assertGapless, DOORS, type Door, expected, refusal } from "./doors.js";

const samples = (door: Door, ...names: string[]) => Promise.all(names.map(door.sample));

for (const door of DOORS) {
  describe(door.name, () => {
    test("a batch is watched to its end and downloaded", () =>
      asNewUser(door, async (client) => {
        const settings = { displayName: "October", requestId: "october" };
        const sources = await samples(door, "scan.pdf", "text.pdf");
        const { batchId } = await client.createBatch(sources, settings);
        const events = await drained(client.watch(batchId, { pages: true }));
        assertGapless(events);
        assert.equal(events.at(-1)?.event.case, "finished");
        assert.equal(events.filter(({ event }) => event.case === "pageFinished").length, 5);

        const last = events.length;
        assert.deepEqual(await drained(client.watch(batchId, { afterSequence: last })), []);

        const [scan] = (await client.batches.listBatchDocuments({ batchId })).documents;
        const text = await client.downloadText(batchId, scan?.documentId ?? "");
        assert.deepEqual(text.split(/[\n\f]+/).filter(Boolean), expected().flat());
        assert.equal((await archive(door, client, batchId)).subarray(0, 2).toString(), "PK");

        const again = await client.createBatch(sources, settings);
        assert.equal(again.batchId, batchId); // a repetition
      }));

    test("a batch is cancelled", () =>
      asNewUser(door, async (client) => {
        const { batchId } = await client.createBatch(await samples(door, "long.pdf"));
        await client.batches.cancelBatch({ batchId });
        const { batch } = await client.batches.getBatch({ batchId });
        assert.equal(batch?.state, BatchState.CANCELLED);
      }));

    test("a batch that is not there is refused", () =>
      asNewUser(door, async (client) => {
        const error = await refusal(drained(client.watch("nowhere")));
        assert.equal(error.code, Code.NotFound);
        assert.equal(error.reason, "BATCH_NOT_FOUND");
      }));
  });
}

async function drained(events: AsyncIterable<WatchBatchResponse>): Promise<WatchBatchResponse[]> {
  const all: WatchBatchResponse[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function archive(door: Door, client: NodeClient, batchId: string): Promise<Buffer> {
  const settings = { format: ResultFormat.TEXT };
  if (door.browser) {
    const pieces: Uint8Array[] = [];
    for await (const piece of client.downloadArchive(batchId, settings)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
  const folder = await mkdtemp(join(tmpdir(), "ocr-"));
  try {
    await client.saveArchive(batchId, join(folder, "texts.zip"), settings);
    return await readFile(join(folder, "texts.zip"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
