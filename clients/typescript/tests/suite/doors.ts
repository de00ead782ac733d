// What the suite shares: the doors of a running service, its samples, and people.
import assert from "node:assert/strict";
import { openAsBlob, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectBrowser } from "ocr-grpc-client/browser";
import {
  type Caller,
  connect,
  type ExtractEvent,
  type NodeClient,
  OcrError,
  Scope,
  type Source,
} from "ocr-grpc-client/node";

/** Returns a variable that the stage sets. */
export function stage(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run this by \`make test\`.`);
  return value;
}

/** A way to the service. */
export interface Door {
  readonly name: string;
  /** Whether documents go as browsers send them. */
  readonly browser: boolean;
  /** Both entries have these methods; what they take as a source is `sample`'s business. */
  connect(caller?: Caller): NodeClient;
  sample(name: string): Promise<Source>;
}

const path = (name: string) => join(stage("OCR_SAMPLES"), name);

function nodeDoor(name: string, address: string): Door {
  return {
    name,
    browser: false,
    connect: (caller = {}) => connect(stage(address), caller),
    sample: async (file) => path(file),
  };
}

const browserDoor: Door = {
  name: "gRPC-Web and REST through Envoy",
  browser: true,
  connect: (caller = {}) =>
    connectBrowser(`http://${stage("OCR_ENVOY")}`, caller) as unknown as NodeClient,
  sample: async (file) => (await openAsBlob(path(file))) as unknown as Source,
};

export const DOORS: readonly [Door, Door, Door] = [
  nodeDoor("gRPC", "OCR_GRPC"),
  nodeDoor("gRPC through Envoy", "OCR_ENVOY"),
  browserDoor,
];

export const PASSWORD = "correct horse battery";

/** The lines of each page of scan.pdf. */
export const expected = () => JSON.parse(readFileSync(path("expected.json"), "utf8")) as string[][];

/** The lines of each page of long.pdf, numbered from 1. */
export const chapter = (page: number) => [`Chapter ${page - 1}`, "It was a dark night."];

/** Returns a client without credentials that is closed after `use`. */
export async function using<Result>(
  client: NodeClient,
  use: (client: NodeClient) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(client);
  } finally {
    client.close?.();
  }
}

export const newName = () => `user-${crypto.randomUUID()}`;

/** Runs `use` as a new user who is signed in. */
export function asNewUser<Result>(
  door: Door,
  use: (client: NodeClient, name: string) => Promise<Result>,
): Promise<Result> {
  return using(door.connect(), async (client) => {
    const userName = newName();
    await client.auth.register({ userName, password: PASSWORD });
    await client.login(userName, PASSWORD);
    return use(client, userName);
  });
}

/** Runs `use` as the administrator. */
export function asAdmin<Result>(door: Door, use: (client: NodeClient) => Promise<Result>) {
  return using(door.connect(), async (client) => {
    await client.login(stage("OCR_ADMIN_NAME"), stage("OCR_ADMIN_PASSWORD"));
    return use(client);
  });
}

/** Returns a key of the user who is signed in. */
export async function newKey(client: NodeClient): Promise<string> {
  const scopes = [Scope.OCR, Scope.BATCHES, Scope.USAGE];
  return (await client.keys.createKey({ key: { displayName: "suite", scopes } })).secret;
}

/** Returns what a promise fails with. */
export async function refusal(call: Promise<unknown>): Promise<OcrError> {
  const error = await call.then(
    () => assert.fail("The call succeeded."),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OcrError, String(error));
  return error;
}

/** Takes all events of an extraction. */
export async function drained(events: AsyncIterable<ExtractEvent>): Promise<ExtractEvent[]> {
  const all: ExtractEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Asserts that events are numbered from 1 without gaps. */
export function assertGapless(events: readonly { readonly sequence: number }[]): void {
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
  );
}

/** Asks until there is an answer, for at most a minute. */
export async function eventually<Result>(ask: () => Promise<Result | undefined>): Promise<Result> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    assert.ok(Date.now() < deadline, "It did not happen within a minute.");
    await sleep(100);
  }
}

/** Kills the service and starts it again; returns when it is ready. */
export async function restart(): Promise<void> {
  const answer = await fetch(`${stage("OCR_CONTROL")}/restart`, { method: "POST" });
  assert.equal(answer.status, 200);
}
