// Puts the caller's credentials on each call.
import { getOption } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Audience, access } from "../gen/ocr_grpc/v1/access_pb.js";
import { AuthService } from "../gen/ocr_grpc/v1/auth_service_pb.js";
import { OcrError } from "./errors.js";
import { type Request, replayOf } from "./replay.js";
import type { Session } from "./session.js";
import { unless } from "./waiting.js";

/** An API key, or a session that may be begun later. Neither is ever printed. */
export class Credentials {
  readonly #apiKey: string | undefined;
  readonly session: Session;

  constructor(apiKey: string | undefined, session: Session) {
    this.#apiKey = apiKey?.trim(); // files end with a line break
    this.session = session;
  }

  /** Adds them to a request's headers. Returns the access token if there is one. */
  async addTo(headers: Headers, signal: AbortSignal): Promise<string | undefined> {
    const token = await unless(signal, this.session.accessToken());
    if (token) put(headers, "authorization", `Bearer ${token}`);
    else if (this.#apiKey) put(headers, "x-api-key", this.#apiKey);
    return token;
  }
}

/** Sets a header. `Headers` would print what it does not take. */
function put(headers: Headers, name: string, value: string): void {
  if (!/^[\x20-\x7e]+$/.test(value)) {
    const message = `What was given for \`${name}\` has characters that no key and no token has.`;
    throw new ConnectError(message, Code.Unauthenticated);
  }
  headers.set(name, value);
}

/** Returns an interceptor that adds credentials, and once more if an access token expired on the way. */
export function withCredentials(credentials: Credentials): Interceptor {
  return (next) => async (request) => {
    if (!wantsCredentials(request)) return next(request);
    const replay = replayOf(request);
    for (let again = false; ; again = true) {
      const headers = new Headers(request.header);
      const token = await credentials.addTo(headers, request.signal);
      try {
        return await next(await replay.attempt(headers, request.signal));
      } catch (error) {
        if (!token || !isExpired(error)) throw error;
        credentials.session.expire(token);
        if (again || !replay.repeatable) throw error;
      }
    }
  };
}

/** Returns whether a call was refused because its access token had expired. */
export function isExpired(error: unknown): boolean {
  return OcrError.from(ConnectError.from(error)).reason === "TOKEN_EXPIRED";
}

/** Signing in must work with a session that is over; strangers of other packages get nothing. */
function wantsCredentials({ method }: Request): boolean {
  if (method.parent === AuthService) return getOption(method, access).audience !== Audience.ANYONE;
  return method.parent.typeName.startsWith("ocr_grpc.v1.");
}
