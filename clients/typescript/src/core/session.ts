// The tokens of somebody who signed in, always good for the next call.
import { Code } from "@connectrpc/connect";
import { OcrError } from "./errors.js";

/** A pair of tokens. Whoever has them is the user: keep them as passwords are kept. */
export interface Tokens {
  readonly accessToken: string;
  /** Works once: it is spent as soon as the next pair comes. */
  readonly refreshToken: string;
  /** When the access token expires, by the clock of this machine. */
  readonly expiresAt: Date;
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
  #tokens: Tokens | undefined;
  #refreshing: Promise<void> | undefined;
  readonly #refresh: (refreshToken: string) => Promise<TokensAnswer>;
  readonly #onTokens: (tokens: Tokens | undefined) => void;

  /** @param onTokens is called with each new pair, and with nothing when the session is over. */
  constructor(
    tokens: Tokens | undefined,
    refresh: (refreshToken: string) => Promise<TokensAnswer>,
    onTokens: (tokens: Tokens | undefined) => void = () => undefined,
  ) {
    this.#tokens = tokens;
    this.#refresh = refresh;
    this.#onTokens = onTokens;
  }

  /** Begins a session with its first tokens. */
  begin(answer: TokensAnswer): void {
    this.#keep({
      accessToken: answer.accessToken,
      refreshToken: answer.refreshToken,
      expiresAt: new Date(Date.now() + answer.expiresIn * 1000),
    });
  }

  /** Forgets the tokens. */
  end(): void {
    this.#keep(undefined);
  }

  /** Returns an access token that is good for a while, or nothing if nobody is signed in. */
  async accessToken(): Promise<string | undefined> {
    const tokens = this.#tokens;
    if (!tokens) return undefined;
    const leftMs = tokens.expiresAt.getTime() - Date.now();
    if (leftMs > EARLY_MS) return tokens.accessToken;
    try {
      await this.#refreshed();
    } catch (error) {
      // The token of now still works: a service that cannot be reached shall fail the call itself.
      if (leftMs <= 0 || !this.#tokens) throw error;
    }
    return this.#tokens?.accessToken;
  }

  /** Notes that the service calls a token expired, whatever this machine's clock says. */
  expire(accessToken: string): void {
    if (this.#tokens?.accessToken === accessToken) {
      this.#tokens = { ...this.#tokens, expiresAt: new Date(0) };
    }
  }

  /** Calls that come together wait for one refresh: using a refresh token twice ends the session. */
  #refreshed(): Promise<void> {
    this.#refreshing ??= this.#next().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #next(): Promise<void> {
    const spent = this.#tokens;
    if (!spent) return;
    try {
      const answer = await this.#refresh(spent.refreshToken);
      if (this.#tokens?.refreshToken === spent.refreshToken) this.begin(answer);
    } catch (reason) {
      const error = OcrError.from(reason);
      if (error.code === Code.Unauthenticated) this.end();
      throw error;
    }
  }

  #keep(tokens: Tokens | undefined): void {
    this.#tokens = tokens;
    this.#onTokens(tokens);
  }
}
