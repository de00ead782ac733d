// What the service config says of a method: its deadline, and when a failed call is sent again.
// https://github.com/grpc/proposal/blob/master/A6-client-retries.md
import { Code } from "@connectrpc/connect";
import { serviceConfig as shipped } from "../gen/service_config.js";

/** When a failed call is sent again. */
export interface RetryPolicy {
  /** How often a call is sent at most, the first time included. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
  readonly codes: ReadonlySet<Code>;
}

/** What holds for a method. Absent: no deadline, no retries. */
export interface MethodPolicy {
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
}

/** The part of a gRPC service config that is used here, as its JSON has it. */
export interface ServiceConfig {
  readonly methodConfig: readonly {
    readonly name: readonly { readonly service?: string; readonly method?: string }[];
    readonly timeout?: string;
    readonly retryPolicy?: {
      readonly maxAttempts: number;
      readonly initialBackoff: string;
      readonly maxBackoff: string;
      readonly backoffMultiplier: number;
      readonly retryableStatusCodes: readonly string[];
    };
  }[];
  readonly retryThrottling?: { readonly maxTokens: number; readonly tokenRatio: number };
}

type MethodConfig = ServiceConfig["methodConfig"][number];

/** Answers what holds for a method: what names it, else what names its service, else the default. */
export class ServicePolicy {
  readonly #byName = new Map<string, MethodPolicy>();
  /** Shared by all calls, as gRPC has it for a channel. */
  readonly throttle: Throttle;

  constructor(config: ServiceConfig = shipped) {
    for (const each of config.methodConfig) {
      const policy = policyOf(each);
      for (const { service = "", method = "" } of each.name) {
        this.#byName.set(`${service}/${method}`, policy);
      }
    }
    this.throttle = new Throttle(config.retryThrottling);
  }

  /** @param service its full name, such as `ocr_grpc.v1.OcrService`. */
  of(service: string, method: string): MethodPolicy {
    const names = [`${service}/${method}`, `${service}/`, "/"];
    return names.map((name) => this.#byName.get(name)).find((known) => known) ?? {};
  }
}

/** Ends retries while most calls fail: they would keep a service down that is overloaded. */
export class Throttle {
  readonly #maxTokens: number;
  readonly #tokenRatio: number;
  #tokens: number;

  constructor(config?: { readonly maxTokens: number; readonly tokenRatio: number }) {
    this.#maxTokens = config?.maxTokens ?? Number.POSITIVE_INFINITY;
    this.#tokenRatio = config?.tokenRatio ?? 0;
    this.#tokens = this.#maxTokens;
  }

  /** Whether a call may be sent again now. */
  get open(): boolean {
    return this.#tokens === Number.POSITIVE_INFINITY || this.#tokens > this.#maxTokens / 2;
  }

  failed(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  succeeded(): void {
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + this.#tokenRatio);
  }
}

/**
 * Returns how long to wait before a call is sent again, in milliseconds: grown exponentially, give or
 * take a fifth, so that callers who failed together do not come back together.
 *
 * @param retries how many there were in a row, 0 before the first.
 */
export function backoffMs(policy: RetryPolicy, retries: number, random = Math.random): number {
  const grown = policy.initialBackoffMs * policy.backoffMultiplier ** retries;
  return Math.min(grown, policy.maxBackoffMs) * (0.8 + 0.4 * random());
}

function policyOf({ timeout, retryPolicy }: MethodConfig): MethodPolicy {
  return {
    ...(timeout ? { timeoutMs: milliseconds(timeout) } : {}),
    ...(retryPolicy
      ? {
          retry: {
            maxAttempts: Math.min(retryPolicy.maxAttempts, 5), // gRPC allows no more
            initialBackoffMs: milliseconds(retryPolicy.initialBackoff),
            maxBackoffMs: milliseconds(retryPolicy.maxBackoff),
            backoffMultiplier: retryPolicy.backoffMultiplier,
            codes: new Set(retryPolicy.retryableStatusCodes.map(codeOf)),
          },
        }
      : {}),
  };
}

/** Reads a duration such as `0.2s`. */
function milliseconds(duration: string): number {
  const seconds = Number(/^([0-9.]+)s$/.exec(duration)?.[1] ?? Number.NaN);
  if (Number.isNaN(seconds)) throw new Error(`The service config has a bad duration: ${duration}`);
  return seconds * 1000;
}

/** Reads a code such as `RESOURCE_EXHAUSTED`; connect spells it `ResourceExhausted`. */
function codeOf(name: string): Code {
  const plain = name.replaceAll("_", "").toLowerCase().replace("cancelled", "canceled");
  for (const [known, code] of Object.entries(Code)) {
    if (typeof code === "number" && known.toLowerCase() === plain) return code;
  }
  throw new Error(`The service config has an unknown status code: ${name}`);
}
