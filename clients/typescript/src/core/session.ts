// The tokens of somebody who signed in, always good for the next call.
import { Code } from "@connectrpc/connect";
import { OcrError } from "./errors.js";

/** A pair of tokens. Whoever has them is the user: keep them as passwords are kept. */
export interface Tokens {
  readonly accessToken: string;
  /** Works once: it is spent as soon as the next pair comes. */
  readonly refreshToken: string;
  /** When the access token expires, by the clock of this machine. Text, as JSON has it, is taken too. */
  readonly expiresAt: Date | string;
}

/** Where clients keep the tokens of a session that they share, such as tabs of a browser. */
export interface TokenStore {
  /** Returns the tokens of now. */
  load(): Tokens | undefined | Promise<Tokens | undefined>;
  /** Keeps a new pair, or nothing: then the session is over. */
  save(tokens: Tokens | undefined): void | Promise<void>;
  /** Runs `refresh` while nobody else who shares the session runs theirs. */
  alone(refresh: () => Promise<void>): Promise<void>;
}

/** Tokens as the service returns them. */
export interface TokensAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Before its end an access token gets this much time to arrive where it is looked at. */
const EARLY_MS = 30_000;

/** Holds the tokens of a session and refreshes them, once for however many calls need it. */
export class Session {
  readonly #store: TokenStore;
  readonly #refresh: (refreshToken: string) => Promise<TokensAnswer>;
  #refreshing: Promise<void> | undefined;
  /** The access token that the service calls expired, whatever this machine's clock says. */
  #expired = "";
  /** The refresh token of a call that failed on the way. The service may have taken it. */
  #doubtful = "";

  constructor(store: TokenStore, refresh: (refreshToken: string) => Promise<TokensAnswer>) {
    this.#store = store;
    this.#refresh = refresh;
  }

  /** Begins a session with its first tokens, or goes on with the next. */
  async begin({ accessToken, refreshToken, expiresIn }: TokensAnswer): Promise<void> {
    const expiresAt = new Date(Date.now() + expiresIn * 1000);
    await this.#store.save({ accessToken, refreshToken, expiresAt });
  }

  /** Forgets the tokens. */
  async end(): Promise<void> {
    await this.#store.save(undefined);
  }

  /** Returns an access token that is good for a while, or nothing if nobody is signed in. */
  async accessToken(): Promise<string | undefined> {
    const tokens = await this.#store.load();
    if (!tokens) return undefined;
    const leftMs = this.#leftMs(tokens);
    if (leftMs > EARLY_MS) return tokens.accessToken;
    // Used twice a refresh token ends the session: while there is another way, it is not tried again.
    if (leftMs > 0 && tokens.refreshToken === this.#doubtful) return tokens.accessToken;
    try {
      await this.#refreshed();
    } catch (error) {
      // The token of now still works: a service that cannot be reached shall fail the call itself.
      if (leftMs <= 0 || !(await this.#store.load())) throw error;
    }
    return (await this.#store.load())?.accessToken;
  }

  /** Notes that the service calls a token expired. */
  expire(accessToken: string): void {
    this.#expired = accessToken;
  }

  /** Calls that come together wait for one refresh. */
  #refreshed(): Promise<void> {
    this.#refreshing ??= this.#store
      .alone(() => this.#next())
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  async #next(): Promise<void> {
    const spent = await this.#store.load();
    if (!spent || this.#leftMs(spent) > EARLY_MS) return; // somebody who shares it was faster
    const answer = await this.#refresh(spent.refreshToken).catch(async (error: unknown) => {
      const over = OcrError.from(error).code === Code.Unauthenticated;
      if (!over) this.#doubtful = spent.refreshToken;
      else if (await this.#holds(spent)) await this.end();
      throw error;
    });
    if (await this.#holds(spent)) await this.begin(answer);
  }

  /** Returns whether nobody signed in or out meanwhile. */
  async #holds({ refreshToken }: Tokens): Promise<boolean> {
    return (await this.#store.load())?.refreshToken === refreshToken;
  }

  #leftMs({ accessToken, expiresAt }: Tokens): number {
    return accessToken === this.#expired ? 0 : new Date(expiresAt).getTime() - Date.now();
  }
}

/**
 * Keeps tokens for one client.
 *
 * @param onTokens is called with each new pair, and with nothing when the session is over.
 */
export function kept(
  tokens: Tokens | undefined,
  onTokens: (tokens: Tokens | undefined) => void = () => undefined,
): TokenStore {
  let now = tokens;
  return {
    load: () => now,
    save(next) {
      now = next;
      onTokens(next);
    },
    alone: (refresh) => refresh(),
  };
}
