// What a tab keeps of a session, and where.
//
// The API takes no cookies, so a page must hold the tokens itself. sessionStorage is of one tab and
// ends with it: nobody finds a session in a browser that was closed. The access token lies beside
// the refresh token, which is worth more to a thief anyway: with it in memory alone every page would
// begin with a refresh, and a page that is left or reloaded before the answer comes would have spent
// its refresh token and lost the session.
//
// A duplicated tab copies sessionStorage, and a refresh token that is used twice ends the session.
// So localStorage, which tabs share, counts the refreshes of each session: a copy that is behind
// knows that its token is spent.

/** Who is signed in, as far as this browser knows; the server decides what they may do. */
export interface Person {
  readonly name: string;
  readonly role: string;
}

/** The tokens of a session. */
export interface Kept {
  /** Names the session among the tabs of this browser; random, and nothing to the server. */
  readonly family: string;
  /** How often its tokens were refreshed. */
  readonly generation: number;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the access token expires, in milliseconds by the clock of this machine. */
  readonly expiresAt: number;
  readonly person: Person;
}

const SESSION = "ocr.session";
const EVERYBODY = "ocr.everybody";
const COUNTS = "ocr.refreshes.";
const FORGOTTEN_AFTER_MS = 40 * 86_400_000;

let cached: Kept | null | undefined;

/** Returns the session of this tab, or null. */
export function kept(): Kept | null {
  if (cached === undefined) cached = parsed<Kept>(attempt(() => sessionStorage.getItem(SESSION)));
  return cached;
}

/** Keeps a session; `counted` says whether other tabs are to know that older tokens are spent. */
export function keep(session: Kept, counted = true): void {
  cached = session;
  attempt(() => sessionStorage.setItem(SESSION, JSON.stringify(session)));
  if (counted) attempt(() => count(session));
}

/** Forgets the session of this tab. */
export function forget(): void {
  cached = null;
  attempt(() => sessionStorage.removeItem(SESSION));
}

/** Returns whether another tab has spent the refresh token of this session. */
export function isSpent(session: Kept): boolean {
  const counted = attempt(() => localStorage.getItem(COUNTS + session.family));
  return Number.parseInt(counted ?? "0", 10) > session.generation;
}

/** Returns who everybody is where nobody signs in, as far as a page of this tab has found out. */
export function everybody(): Person | null {
  return parsed<Person>(attempt(() => sessionStorage.getItem(EVERYBODY)));
}

/** Notes who everybody is on this server, or that people sign in. */
export function noteEverybody(someone: Person | null): void {
  attempt(() =>
    someone
      ? sessionStorage.setItem(EVERYBODY, JSON.stringify(someone))
      : sessionStorage.removeItem(EVERYBODY),
  );
}

/** Returns a name for a session that no other has. `randomUUID` is only there with HTTPS. */
export function newFamily(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join(
    "",
  );
}

function count(session: Kept): void {
  localStorage.setItem(COUNTS + session.family, `${session.generation} ${Date.now()}`);
  if (session.generation > 0) return;
  for (const name of Object.keys(localStorage).filter((each) => each.startsWith(COUNTS))) {
    const written = Number(localStorage.getItem(name)?.split(" ")[1]);
    if (!(Date.now() - written < FORGOTTEN_AFTER_MS)) localStorage.removeItem(name);
  }
}

function parsed<Value>(text: string | null): Value | null {
  return attempt(() => (text ? (JSON.parse(text) as Value) : null));
}

/** Returns what `action` returns; null where storage is switched off or full. */
function attempt<Result>(action: () => Result): Result | null {
  try {
    return action();
  } catch {
    return null; // the session then lives as long as the page
  }
}
