// Signing in, keys, limits, and how refusals look.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, HealthStatus, type NodeClient, OcrError, type Tokens } from "ocr-grpc-client/node";
import { asAdmin, asNewUser, DOORS, newKey, newName, PASSWORD, refusal, using } from "./doors.js";

for (const door of DOORS) {
  describe(door.name, () => {
    test("the service is healthy", () =>
      using(door.connect(), async (client) => {
        const { status } = await client.health.check({ service: "ocr_grpc.v1.OcrService" });
        assert.equal(status, HealthStatus.SERVING);
      }));

    test("a new user signs in, makes a key and uses it, and signs out", () =>
      asNewUser(door, async (client, name) => {
        assert.equal((await client.auth.getMe({})).user?.userName, name);
        const apiKey = await newKey(client);
        await using(door.connect({ apiKey }), async (other) => {
          assert.equal((await other.auth.getMe({})).user?.userName, name);
        });
        await client.logout();
        assert.equal((await refusal(client.auth.getMe({}))).code, Code.Unauthenticated);
      }));

    test("calls that run at once refresh a token that is about to expire once", () =>
      using(door.connect(), async (first) => {
        const userName = newName();
        await first.auth.register({ userName, password: PASSWORD });
        const login = await first.auth.login({ userName, password: PASSWORD });
        const pairs: (Tokens | undefined)[] = [];
        const tokens = { ...login, expiresAt: new Date(Date.now() + 1000) };
        const client = door.connect({ tokens, onTokens: (pair) => pairs.push(pair) });
        await using(client, async () => {
          await Promise.all([client.auth.getMe({}), client.usage.getUsageSummary({})]);
          assert.equal(pairs.length, 1);
          assert.notEqual(pairs[0]?.accessToken, login.accessToken);
          await client.auth.getMe({}); // a token used twice would have ended the session
        });
      }));

    test("a session that is over says so, to uploads as well", () =>
      using(door.connect(), async () => {
        const tokens = { accessToken: "a", refreshToken: "b", expiresAt: new Date(0).toJSON() };
        const uses: ((client: NodeClient) => Promise<unknown>)[] = [
          (client) => client.auth.getMe({}),
          (client) => client.read(new Uint8Array(9)),
          (client) => client.uploadDocument(new Uint8Array(9)),
        ];
        for (const use of uses) {
          const error = await refusal(using(door.connect({ tokens }), use));
          assert.equal(error.code, Code.Unauthenticated);
          assert.equal(error.reason, "REFRESH_TOKEN_INVALID");
        }
      }));

    test("a wrong password is refused with its reason and the call's id", () =>
      using(door.connect(), async (client) => {
        const error = await refusal(client.login(newName(), PASSWORD));
        assert.equal(error.code, Code.Unauthenticated);
        assert.equal(error.reason, "LOGIN_FAILED");
        assert.notEqual(error.requestId, "");
      }));

    test("an empty document is refused with its reason and the call's id", () =>
      asNewUser(door, async (client) => {
        const error = await refusal(client.read(new Uint8Array()));
        assert.equal(error.code, Code.InvalidArgument);
        assert.equal(error.reason, "EMPTY_DOCUMENT");
        assert.notEqual(error.requestId, "");
      }));

    test("a document over the quota is refused at once", async () => {
      const limits = { pagesPerMonth: 1 };
      await asLimited(door.connect(), limits, async (client) => {
        const before = Date.now();
        const error = await refusal(client.read(await door.sample("scan.pdf")));
        assert.equal(error.code, Code.ResourceExhausted);
        assert.equal(error.reason, "QUOTA_EXCEEDED");
        assert.equal(error.quotaViolations.length, 1);
        assert.ok(Date.now() - before < 15_000);
      });
    });

    test("a call over the rate is made again soon, or refused with the time to wait", () =>
      asLimited(door.connect(), { callsPerMinute: 3 }, async (client) => {
        const calls = Array.from({ length: 5 }, () => client.auth.getMe({}));
        const ends = await Promise.allSettled(calls);
        const refused = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
        assert.ok(refused.length > 0);
        for (const error of refused) {
          assert.ok(error instanceof OcrError);
          assert.equal(error.reason, "RATE_LIMITED");
          assert.ok((error.retryDelayMs ?? 0) > 0);
        }
      }));
  });

  function asLimited(
    client: NodeClient,
    limits: { pagesPerMonth?: number; callsPerMinute?: number },
    use: (client: NodeClient) => Promise<void>,
  ): Promise<void> {
    return using(client, async () => {
      const userName = newName();
      await asAdmin(door, (admin) =>
        admin.admin.createUser({ user: { userName, limits }, password: PASSWORD }),
      );
      await client.login(userName, PASSWORD);
      await use(client);
    });
  }
}
