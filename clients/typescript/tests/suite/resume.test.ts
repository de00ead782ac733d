// Streams that go on after a connection broke, or the service was killed.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { connect as connectBrowser } from "ocr-grpc-client/browser";
import {
  Assembler,
  connect,
  type ExtractEvent,
  type NodeClient,
  type WatchBatchResponse,
} from "ocr-grpc-client/node";
import { cable } from "./cutting.js";
import {
  asNewUser,
  assertGapless,
  chapter,
  DOORS,
  eventually,
  newKey,
  restart,
  stage,
  using,
} from "./doors.js";

const PAGES = 24;
/** A busy machine may take long to start a service. */
const PATIENT = { resumeMs: 300_000 };
const [GRPC, ENVOY, BROWSER] = DOORS;

test("the service is killed while it reads for every door", async () => {
  const long = await readFile(`${stage("OCR_SAMPLES")}/long.pdf`);
  // What stands behind the end of a PDF does not matter; this is more than one message holds, so it goes by REST.
  const large = Buffer.concat([long, Buffer.alloc(33 * 1024 * 1024, "%")]);
  const killed = together(3, restart);
  await Promise.all(
    [GRPC, ENVOY, BROWSER].map((door) =>
      asNewUser(door, (client) =>
        assertWhole(client.extract(door.browser ? large : long, PATIENT), killed),
      ),
    ),
  );
});

test("watching goes on after the service was killed", () =>
  asNewUser(GRPC, async (client) => {
    const { batchId } = await client.createBatch([await GRPC.sample("long.pdf")]);
    const events: WatchBatchResponse[] = [];
    let restarted: Promise<void> | undefined;
    for await (const event of client.watch(batchId, PATIENT)) {
      events.push(event);
      if (event.event.case === "pageFinished") restarted ??= restart();
    }
    await restarted;
    assertGapless(events);
    assert.equal(events.filter(({ event }) => event.case === "pageFinished").length, 24);
    // Its engine may be younger than its port: the tests to come shall find it at work.
    await eventually(async () => (await client.health.check({})) && true);
  }));

/** Returns what does something once that many have asked for it: a restart takes long. */
function together(count: number, act: () => Promise<void>): () => Promise<void> {
  let missing = count;
  let begin: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    begin = resolve;
  }).then(act);
  return () => {
    missing -= 1;
    if (missing === 0) begin();
    return done;
  };
}

describe("the connection is cut", () => {
  const doors: [
    name: string,
    address: string,
    make: (address: string, key: string) => NodeClient,
  ][] = [
    ["gRPC", "OCR_GRPC", (address, apiKey) => connect(address, { apiKey })],
    ["gRPC through Envoy", "OCR_ENVOY", (address, apiKey) => connect(address, { apiKey })],
    [
      "gRPC-Web",
      "OCR_ENVOY",
      (address, apiKey) => connectBrowser(`http://${address}`, { apiKey }) as unknown as NodeClient,
    ],
  ];
  for (const [name, address, make] of doors) {
    test(name, () =>
      asNewUser(GRPC, async (owner) => {
        const way = await cable(stage(address));
        const content = await readFile(`${stage("OCR_SAMPLES")}/long.pdf`);
        try {
          await using(make(way.address, await newKey(owner)), (client) =>
            assertWhole(client.extract(content, PATIENT), async () => way.cut()),
          );
        } finally {
          way.close();
        }
      }),
    );
  }
});

/** Disturbs a stream after its first page; asserts that it brings all pages once, without gaps. */
async function assertWhole(
  stream: AsyncIterable<ExtractEvent>,
  disturb: () => Promise<void>,
): Promise<void> {
  const events: ExtractEvent[] = [];
  const pages = new Assembler();
  let disturbed: Promise<void> | undefined;
  for await (const event of stream) {
    events.push(event);
    pages.add(event);
    if (event.event.case === "pageFinished") disturbed ??= disturb();
  }
  await disturbed;
  assertGapless(events);
  const finished = events.flatMap(({ event }) =>
    event.case === "pageFinished" ? [event.value] : [],
  );
  const numbers = finished.map(({ pageNumber }) => pageNumber);
  assert.deepEqual(
    numbers.toSorted((one, other) => one - other),
    Array.from({ length: PAGES }, (_, index) => index + 1),
  );
  for (const { pageNumber, text } of finished) {
    assert.deepEqual(text.split(/\n+/), chapter(pageNumber));
    assert.equal(pages.page(pageNumber)?.text, text);
  }
}
