import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Code } from "@connectrpc/connect";
import { connect, OcrError, type TokenStore, type Tokens } from "ocr-grpc-client/node";
import { Credentials } from "#dist/core/credentials.js";
import { kept, Session, type TokensAnswer } from "#dist/core/session.js";

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);
const pair = (number: number, seconds = 900): Tokens => ({
  accessToken: `access-${number}`,
  refreshToken: `refresh-${number}`,
  expiresAt: inSeconds(seconds),
});
const answer = (number: number): TokensAnswer => ({ ...pair(number), expiresIn: 900 });

test("a token that is good is used as it is", async () => {
  const session = new Session(kept(pair(1)), () => assert.fail("It was refreshed."));
  assert.equal(await session.accessToken(), "access-1");
});

test("calls that come together wait for one refresh", async () => {
  const spent: string[] = [];
  const session = new Session(kept(pair(1, 5)), async (refreshToken) => {
    spent.push(refreshToken);
    return answer(spent.length + 1);
  });
  const tokens = await Promise.all([1, 2, 3].map(() => session.accessToken()));
  assert.deepEqual(tokens, ["access-2", "access-2", "access-2"]);
  assert.deepEqual(spent, ["refresh-1"]);
});

test("a token that the service calls expired is refreshed, another one is not", async () => {
  const session = new Session(kept(pair(1)), async () => answer(2));
  session.expire("access-0");
  assert.equal(await session.accessToken(), "access-1");
  session.expire("access-1");
  assert.equal(await session.accessToken(), "access-2");
});

test("while a token is good, a refresh that fails is no failure", async () => {
  const session = new Session(kept(pair(1, 5)), async () => {
    throw OcrError.of(Code.Unavailable, "not now");
  });
  assert.equal(await session.accessToken(), "access-1");
});

test("a session that the service ended is over", async () => {
  const pairs: unknown[] = [];
  const refused = async () => {
    throw OcrError.of(Code.Unauthenticated, "no");
  };
  const store = kept(pair(1, -5), (tokens) => pairs.push(tokens));
  const session = new Session(store, refused);
  await assert.rejects(session.accessToken(), OcrError);
  assert.equal(await session.accessToken(), undefined);
  assert.deepEqual(pairs, [undefined]);
});

test("a refresh that comes after the end of a session begins none", async () => {
  const session = new Session(kept(pair(1, -5)), async () => {
    await session.end();
    return answer(2);
  });
  assert.equal(await session.accessToken(), undefined);
});

test("a refresh whose answer was lost is not tried again while the token of now is good", async () => {
  let refreshes = 0;
  const session = new Session(kept(pair(1, 5)), async () => {
    refreshes += 1;
    throw OcrError.of(Code.Unavailable, "lost");
  });
  assert.equal(await session.accessToken(), "access-1");
  assert.equal(await session.accessToken(), "access-1");
  assert.equal(refreshes, 1);
  session.expire("access-1"); // nothing is left to lose
  await assert.rejects(session.accessToken(), OcrError);
  assert.equal(refreshes, 2);
});

test("clients that share a session refresh it once", async () => {
  let now: Tokens | undefined = JSON.parse(JSON.stringify(pair(1, 5)));
  let queue = Promise.resolve();
  const store: TokenStore = {
    load: async () => now,
    save: async (tokens) => {
      now = JSON.parse(JSON.stringify(tokens ?? null)) ?? undefined;
    },
    alone: (refresh) => (queue = queue.then(refresh)),
  };
  const spent: string[] = [];
  const tabs = [1, 2, 3].map(
    () =>
      new Session(store, async (refreshToken) => {
        spent.push(refreshToken);
        return answer(2);
      }),
  );
  const tokens = await Promise.all(tabs.map((tab) => tab.accessToken()));
  assert.deepEqual(tokens, ["access-2", "access-2", "access-2"]);
  assert.deepEqual(spent, ["refresh-1"]);
  await tabs[0]?.end();
  assert.equal(await tabs[1]?.accessToken(), undefined);
});

test("a key or a token that no header can carry is refused, and not printed", async () => {
  const headers = new Headers();
  const { signal } = new AbortController();
  const bad = "ocr_\nsecret";
  for (const [key, tokens] of [
    [bad, undefined],
    ["", { ...pair(1), accessToken: bad }],
  ] as const) {
    const session = new Session(kept(tokens), () => assert.fail("It was refreshed."));
    await assert.rejects(new Credentials(key, session).addTo(headers, signal), (error) => {
      assert.doesNotMatch(inspect(error, { depth: 9 }), /secret/);
      return OcrError.from(error).code === Code.Unauthenticated;
    });
  }
  await new Credentials("ocr_key\n", new Session(kept(undefined), assert.fail)).addTo(
    headers,
    signal,
  );
  assert.equal(headers.get("x-api-key"), "ocr_key");
});

test("a call that is cancelled does not wait for a refresh", async () => {
  const session = new Session(kept(pair(1, -5)), () => new Promise(() => undefined));
  const waiting = new Credentials(undefined, session).addTo(new Headers(), AbortSignal.timeout(1));
  await assert.rejects(waiting, { name: "TimeoutError" });
});

test("credentials are never printed", () => {
  const session = new Session(kept(pair(1)), async () => answer(2));
  const client = connect("localhost:1", { apiKey: "ocr_secret", tokens: pair(1) });
  for (const each of [client, session, new Credentials("ocr_secret", session)]) {
    const printed = `${inspect(each, { depth: 9, showHidden: true })} ${JSON.stringify(each)} ${each}`;
    assert.doesNotMatch(printed, /ocr_secret|access-1|refresh-1/);
  }
});
