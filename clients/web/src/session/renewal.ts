// The next tokens of a session.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AuthService, type RefreshTokenResponse } from "../gen/ocr_grpc/v1/auth_service_pb.ts";
import { problemOf } from "../shared/errors.ts";
import { anonymousTransport } from "../shared/transport.ts";
import { isSpent, type Kept, kept } from "./kept.ts";
import { askCopies, enter, leave, onSessionChange } from "./session.ts";

const TIMEOUT_MS = 15_000;
const NEWS_MS = 500;
const COPIED =
  "This tab is a copy of one that was signed in, and that one has gone on since. Please sign in again.";

/**
 * Refreshes a session once, whatever tabs and calls ask for it.
 *
 * Returns the session with its next tokens, or null if it is over. Throws if the server cannot be
 * reached, or answers with anything else but "no": the session may be good still.
 */
export function renew(session: Kept): Promise<Kept | null> {
  return alone(session.family, async () => {
    await newsOfCopies(session);
    const current = kept();
    if (current?.family !== session.family || current.generation > session.generation) {
      return current; // somebody was faster
    }
    if (isSpent(current)) {
      leave(COPIED);
      return null;
    }
    return refreshed(current);
  });
}

async function refreshed(session: Kept): Promise<Kept | null> {
  const client = createClient(AuthService, anonymousTransport);
  try {
    const { refreshToken } = session;
    return goOn(session, await client.refreshToken({ refreshToken }, { timeoutMs: TIMEOUT_MS }));
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
    leave(problemOf(error).sentence);
    return null;
  }
}

function goOn(session: Kept, tokens: RefreshTokenResponse): Kept {
  const next = {
    ...session,
    generation: session.generation + 1,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    expiresAt: Date.now() + tokens.expiresIn * 1000,
  };
  enter(next);
  return next;
}

/** Waits a moment for the tokens that a copy of this tab got, if that is still open. */
async function newsOfCopies(session: Kept): Promise<void> {
  if (!isSpent(session)) return;
  await new Promise<void>((resolve) => {
    const stop = onSessionChange(() => done());
    const timer = setTimeout(() => done(), NEWS_MS);
    askCopies(session);
    const done = () => {
      stop();
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Runs `action` while no other tab of the session does. Browsers have locks only over HTTPS. */
function alone<Result>(family: string, action: () => Promise<Result>): Promise<Result> {
  if (!navigator.locks) return action();
  return navigator.locks.request(`ocr.session.${family}`, action);
}
