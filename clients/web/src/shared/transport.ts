// How pages call the service: gRPC-Web on the port they came from.
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { withSession } from "../session/interceptor.ts";

const baseUrl = window.location.origin;

/** Calls as whoever is signed in. */
export const transport = createGrpcWebTransport({ baseUrl, interceptors: [withSession] });

/** Calls without a token: to sign in, and to get a new token. */
export const anonymousTransport = createGrpcWebTransport({ baseUrl });
