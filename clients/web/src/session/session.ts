// Who is signed in. Loaded by every page, so it stays small: what talks to the server is imported
// when it is needed.
import { everybody, forget, type Kept, keep, kept, type Person } from "./kept.ts";

export type { Person } from "./kept.ts";

/** Before its end an access token gets this much time to arrive where it is looked at. */
const EARLY_MS = 30_000;

/** What copies of a tab tell each other; `ended` and `asked` name the session. */
type News = { readonly next: Kept } | { readonly ended: string } | { readonly asked: string };

const listeners = new Set<() => void>();
const otherTabs = new BroadcastChannel("ocr.session");
let renewing: Promise<Kept | null> | null = null;
let ending = "";

otherTabs.onmessage = ({ data }: MessageEvent<News>) => {
  const mine = kept();
  if (!mine) return;
  if ("ended" in data) {
    if (data.ended === mine.family) leave("You signed out in another tab.");
  } else if ("asked" in data) {
    if (data.asked === mine.family) otherTabs.postMessage({ next: mine } satisfies News);
  } else if (data.next.family === mine.family && data.next.generation > mine.generation) {
    keep(data.next, false);
    announce();
  }
};

/** Returns an access token that is still good, or null if nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  const session = kept();
  if (!session) return null;
  if (session.expiresAt - EARLY_MS > Date.now()) return session.accessToken;
  return renewedToken(session.accessToken);
}

/**
 * Returns the token that follows one the server calls expired, or null if the session is over.
 *
 * Calls that come together wait for one refresh. Throws if the server cannot be reached.
 */
export async function renewedToken(expired: string): Promise<string | null> {
  const session = kept();
  if (!session || session.accessToken !== expired) return session?.accessToken ?? null;
  renewing ??= import("./renewal.ts")
    .then(({ renew }) => renew(session))
    .finally(() => {
      renewing = null;
    });
  return (await renewing)?.accessToken ?? null;
}

/** Returns who is signed in, or whom everybody acts as, without asking the server. */
export function person(): Person | null {
  return kept()?.person ?? everybody();
}

/** Returns whether there is a session in this tab. */
export function isSignedIn(): boolean {
  return kept() !== null;
}

/** Returns why the last session of this page ended, for whoever is asked to sign in again. */
export function whyEnded(): string {
  return ending;
}

/** Calls `listener` when somebody signs in or out, also in a copy of this tab. Returns the end of it. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Asks copies of this tab for the tokens that they may have got since. */
export function askCopies(session: Kept): void {
  otherTabs.postMessage({ asked: session.family } satisfies News);
}

/** Begins a session, or goes on with its next tokens, and tells copies of this tab. */
export function enter(session: Kept): void {
  ending = "";
  keep(session);
  otherTabs.postMessage({ next: session } satisfies News);
  announce();
}

/** Ends the session of this tab. `everywhere` ends it in copies of the tab too. */
export function leave(why: string, everywhere = false): void {
  const session = kept();
  if (session && everywhere) otherTabs.postMessage({ ended: session.family } satisfies News);
  forget();
  ending = why;
  announce();
}

function announce(): void {
  for (const listener of listeners) listener();
}
