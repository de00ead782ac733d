// Calls as whoever is signed in, across the end of an access token.
import type { Interceptor } from "@connectrpc/connect";
import { problemOf } from "../shared/errors.ts";
import { accessToken, leave, renewedToken } from "./session.ts";

/** Reasons after which no token of the session will do any more. */
const OVER = new Set(["SESSION_REVOKED", "TOKEN_INVALID", "USER_DISABLED"]);

type Call = Parameters<ReturnType<Interceptor>>[0];
type Next = Parameters<Interceptor>[0];

/** Adds the access token. One that expired on the way is renewed and the call made once more. */
export const withSession: Interceptor = (next) => async (request) => {
  const token = await accessToken();
  return token ? called(next, request, token) : next(request);
};

async function called(next: Next, request: Call, token: string) {
  request.header.set("authorization", `Bearer ${token}`);
  try {
    return await next(request);
  } catch (error) {
    const { reason, sentence } = problemOf(error);
    if (OVER.has(reason)) leave(sentence);
    // The one message of a stream is gone once it was sent.
    if (reason !== "TOKEN_EXPIRED" || request.stream) throw error;
    const renewed = await renewedToken(token);
    if (!renewed) throw error;
    request.header.set("authorization", `Bearer ${renewed}`);
    return await next(request);
  }
}
