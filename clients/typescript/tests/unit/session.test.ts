import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Code } from "@connectrpc/connect";
import { connect, OcrError, type Tokens } from "ocr-grpc-client/node";
import { Credentials } from "#dist/core/credentials.js";
import { Session, type TokensAnswer } from "#dist/core/session.js";

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);
const pair = (number: number, seconds = 900): Tokens => ({
  accessToken: `access-${number}`,
  refreshToken: `refresh-${number}`,
  expiresAt: inSeconds(seconds),
});
const answer = (number: number): TokensAnswer => ({ ...pair(number), expiresIn: 900 });

test("a token that is good is used as it is", async () => {
  const session = new Session(pair(1), () => assert.fail("It was refreshed."));
  assert.equal(await session.accessToken(), "access-1");
});

test("calls that come together wait for one refresh", async () => {
  const spent: string[] = [];
  const session = new Session(pair(1, 5), async (refreshToken) => {
    spent.push(refreshToken);
    return answer(spent.length + 1);
  });
  const tokens = await Promise.all([1, 2, 3].map(() => session.accessToken()));
  assert.deepEqual(tokens, ["access-2", "access-2", "access-2"]);
  assert.deepEqual(spent, ["refresh-1"]);
});

test("a token that the service calls expired is refreshed, another one is not", async () => {
  const session = new Session(pair(1), async () => answer(2));
  session.expire("access-0");
  assert.equal(await session.accessToken(), "access-1");
  session.expire("access-1");
  assert.equal(await session.accessToken(), "access-2");
});

test("while a token is good, a refresh that fails is no failure", async () => {
  const session = new Session(pair(1, 5), async () => {
    throw OcrError.of(Code.Unavailable, "not now");
  });
  assert.equal(await session.accessToken(), "access-1");
});

test("a session that the service ended is over", async () => {
  const pairs: unknown[] = [];
  const refused = async () => {
    throw OcrError.of(Code.Unauthenticated, "no");
  };
  const session = new Session(pair(1, -5), refused, (tokens) => pairs.push(tokens));
  await assert.rejects(session.accessToken(), OcrError);
  assert.equal(await session.accessToken(), undefined);
  assert.deepEqual(pairs, [undefined]);
});

test("a refresh that comes after the end of a session begins none", async () => {
  const session = new Session(pair(1, -5), async () => {
    session.end();
    return answer(2);
  });
  assert.equal(await session.accessToken(), undefined);
});

test("credentials are never printed", () => {
  const session = new Session(pair(1), async () => answer(2));
  const client = connect("localhost:1", { apiKey: "ocr_secret", tokens: pair(1) });
  for (const each of [client, session, new Credentials("ocr_secret", session)]) {
    const printed = `${inspect(each, { depth: 9, showHidden: true })} ${JSON.stringify(each)} ${each}`;
    assert.doesNotMatch(printed, /ocr_secret|access-1|refresh-1/);
  }
});
