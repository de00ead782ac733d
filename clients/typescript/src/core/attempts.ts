// Sends a document again that did not get through.
import { Code } from "@connectrpc/connect";
import { isExpired } from "./credentials.js";
import { isBreak, type OcrError } from "./errors.js";
import { backoffMs, type RetryPolicy } from "./policy.js";
import { MAX_PUSHBACK_MS } from "./retries.js";

/** Counts the attempts to send one document. */
export class Attempts {
  #made = 0;
  #expired = false;

  /** @param breaks whether to send it again after a broken connection, which repeats what it did. */
  constructor(
    private readonly retry: RetryPolicy,
    private readonly repeatable: boolean,
    private readonly breaks: boolean,
  ) {}

  /** Returns after how many milliseconds to send it again, or undefined if it has failed for good. */
  waitMs(error: OcrError): number | undefined {
    this.#made += 1;
    if (!this.repeatable || this.#made >= this.retry.maxAttempts) return undefined;
    if (isExpired(error.cause)) {
      if (this.#expired) return undefined;
      this.#expired = true; // the next attempt has a new token
      return 0;
    }
    if (error.code === Code.ResourceExhausted) {
      const { retryDelayMs } = error;
      return retryDelayMs !== undefined && retryDelayMs <= MAX_PUSHBACK_MS
        ? retryDelayMs
        : undefined;
    }
    return this.breaks && isBreak(error) ? backoffMs(this.retry, this.#made - 1) : undefined;
  }
}
