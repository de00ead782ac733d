// Documents: read, cancelled, large, in every way they can be handed over.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import {
  Code,
  connect,
  type NodeClient,
  PageOutcome,
  SourceError,
  type UsageRecord,
} from "ocr-grpc-client/node";
import {
  asAdmin,
  asNewUser,
  assertGapless,
  DOORS,
  drained,
  eventually,
  expected,
  newKey,
  newName,
  PASSWORD,
  refusal,
  stage,
  using,
} from "./doors.js";

for (const door of DOORS) {
  describe(door.name, () => {
    test("a scan's text comes while it is read", () =>
      asNewUser(door, async (owner) => {
        const client = door.connect({ apiKey: await newKey(owner) });
        const events = await using(client, async () =>
          drained(client.extract(await door.sample("scan.pdf"))),
        );
        assertGapless(events);
        const cases = events.map(({ event }) => event.case);
        assert.equal(cases[0], "started");
        assert.equal(cases.at(-1), "finished");
        assert.ok(cases.indexOf("delta") < cases.indexOf("pageFinished"));
        const texts = new Map<number, string>();
        for (const { event } of events) {
          if (event.case === "pageFinished") texts.set(event.value.pageNumber, event.value.text);
        }
        assert.deepEqual(
          [1, 2, 3].map((number) => linesOf(texts.get(number))),
          expected(),
        );
      }));

    test("a document is read as a whole, with lines and their places", () =>
      asNewUser(door, async (client) => {
        const settings = { options: { pages: "2-3", languages: ["en", "de"] } };
        const document = await client.read(await door.sample("scan.pdf"), settings);
        assert.equal(document.documentPageCount, 3);
        assert.deepEqual(
          document.pages.map(({ number, outcome }) => [number, outcome]),
          [2, 3].map((number) => [number, PageOutcome.OK]),
        );
        assert.deepEqual(
          document.pages.map(({ text }) => linesOf(text)),
          expected().slice(1),
        );
        for (const page of document.pages) {
          assert.deepEqual(
            page.lines.map(({ text }) => text),
            linesOf(page.text),
          );
          assert.ok(page.lines.every(({ polygon }) => polygon.length === 4));
        }
        assert.equal(document.usage?.pages, 2);
      }));

    test("leaving the stream stops the work", () =>
      asNewUser(door, async (client) => {
        for await (const { event } of client.extract(await door.sample("long.pdf"))) {
          if (event.case === "delta") break;
        }
        const { usage } = await eventually(() => cancelledCall(client));
        assert.ok((usage?.pages ?? 0) < 24);
      }));

    test("a signal stops the work", () =>
      asNewUser(door, async (client) => {
        const stop = new AbortController();
        const events = client.extract(await door.sample("long.pdf"), { signal: stop.signal });
        const error = await refusal(
          (async () => {
            for await (const { event } of events) if (event.case === "delta") stop.abort();
          })(),
        );
        assert.equal(error.code, Code.Canceled);
        await eventually(() => cancelledCall(client));
      }));

    test("closing the client ends its calls for good", () =>
      asNewUser(door, async (client) => {
        const error = await refusal(
          (async () => {
            for await (const { event } of client.extract(await door.sample("long.pdf"))) {
              if (event.case === "delta") client.close();
            }
          })(),
        );
        assert.equal(error.code, Code.Canceled);
        assert.equal((await refusal(client.auth.getMe({}))).code, Code.Canceled);
      }));

    test("a deadline ends a document", () =>
      asNewUser(door, async (client) => {
        const error = await refusal(client.read(await door.sample("long.pdf"), { timeoutMs: 300 }));
        assert.equal(error.code, Code.DeadlineExceeded);
      }));

    test("50 MB go through", () =>
      asNewUser(door, async (client) => {
        const { usage, text } = await client.read(await door.sample("large.pdf"));
        assert.equal(usage?.inputBytes, 50_000_000n);
        assert.notEqual(text, "");
      }));
  });
}

test("a document waits for another one of the same user, if no more are allowed at once", async () => {
  const userName = newName();
  const limited = { userName, limits: { concurrentStreams: 1 } };
  const made = await asAdmin(DOORS[0], ({ admin }) =>
    admin.createUser({ user: limited, password: PASSWORD }),
  );
  const userId = made.user?.userId ?? "";
  await using(DOORS[0].connect(), async (client) => {
    await client.login(userName, PASSWORD);
    const first = client.extract(await DOORS[0].sample("long.pdf"));
    await first.next(); // and no more: the service waits for whoever reads slowly
    const second = client.read(await DOORS[0].sample("scan.pdf"));
    await eventually(() => refusedCall(userId));
    await first.return();
    assert.equal((await second).pages.length, 3);
  });
});

async function refusedCall(userId: string): Promise<UsageRecord | undefined> {
  const filter = { method: "OcrService/UploadExtract", status: "RESOURCE_EXHAUSTED" };
  const { records } = await asAdmin(DOORS[0], ({ admin }) => admin.listUsage({ userId, filter }));
  return records.find(({ reason }) => reason === "TOO_MANY_STREAMS");
}

async function cancelledCall(client: NodeClient): Promise<UsageRecord | undefined> {
  const { records } = await client.usage.listUsage({});
  return records.find(({ kind, status }) => kind !== 0 && status === "CANCELLED");
}

function linesOf(text: string | undefined): string[] {
  return (text ?? "").split("\n").filter((line) => line !== "");
}

describe("sources", () => {
  const scan = () => `${stage("OCR_SAMPLES")}/scan.pdf`;

  test("bytes, URLs and streams are read as paths are", () =>
    asNewUser(DOORS[0], async (client) => {
      // Held: fetch ends the body of an answer that nobody holds any more.
      const answer = await fetch(
        `data:application/pdf;base64,${(await readFile(scan())).toString("base64")}`,
      );
      const sources = [
        await readFile(scan()),
        new URL(`file://${scan()}`),
        createReadStream(scan(), { highWaterMark: 1000 }),
        answer.body as AsyncIterable<Uint8Array>,
      ];
      for (const source of sources) {
        const { pages } = await client.read(source, { fileName: "scan.pdf" });
        assert.deepEqual(
          pages.map(({ text }) => linesOf(text)),
          expected(),
        );
      }
      assert.ok(answer.bodyUsed);
    }));

  test("a file that is not there is the caller's error", () =>
    asNewUser(DOORS[0], async (client) => {
      await assert.rejects(client.read("/nowhere/scan.pdf"), SourceError);
    }));

  test("a stream that breaks is the caller's error", () =>
    asNewUser(DOORS[0], async (client) => {
      const cause = new Error("The tape is torn.");
      async function* torn() {
        yield new Uint8Array(300_000);
        throw cause;
      }
      await assert.rejects(client.read(torn()), (error) => {
        assert.ok(error instanceof SourceError);
        assert.equal(error.cause, cause);
        return true;
      });
    }));

  test("a password goes with a file that is too large for one message", () =>
    asNewUser(DOORS[2], async (client) => {
      const options = { password: "secret", pages: "1", languages: ["en"] }; // it needs none, and takes any
      const { pages } = await client.read(await DOORS[2].sample("large.pdf"), { options });
      assert.equal(pages.length, 1);
    }));

  test("Node speaks gRPC-Web as well", () =>
    asNewUser(DOORS[1], async (owner) => {
      const apiKey = await newKey(owner);
      const client = connect(stage("OCR_ENVOY"), { apiKey, protocol: "grpc-web" });
      const { pages } = await using(client, () => client.read(scan()));
      assert.deepEqual(
        pages.map(({ text }) => linesOf(text)),
        expected(),
      );
    }));
});
