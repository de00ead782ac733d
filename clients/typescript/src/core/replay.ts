// Sends a request more than once, and looks at the first message of an answer before it is given out.
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";

export type Request = UnaryRequest | StreamRequest;
export type Response = Awaited<ReturnType<ReturnType<Interceptor>>>;

/** A request of which any number of attempts can be made, or one alone. */
export interface Replay {
  readonly repeatable: boolean;
  attempt(header: Headers, signal: AbortSignal): Promise<Request>;
}

/** Prepares a request to be sent, again if need be. One with a stream of messages goes out once. */
export function replayOf(request: Request): Replay {
  if (!request.stream) {
    return {
      repeatable: true,
      attempt: async (header, signal) => ({ ...request, header, signal }),
    };
  }
  if (request.method.methodKind !== "server_streaming") {
    return {
      repeatable: false,
      attempt: async (header, signal) => ({ ...request, header, signal }),
    };
  }
  let kept: Promise<unknown[]> | undefined;
  return {
    repeatable: true,
    async attempt(header, signal) {
      kept ??= collected(request.message);
      return { ...request, header, signal, message: each(await kept) as StreamRequest["message"] };
    },
  };
}

/**
 * Waits for the first message of an answer, so that a stream that is refused fails here. A stream that
 * answers to a stream is left alone: its first message may wait for ours.
 */
export async function withFirst(response: Response): Promise<Response> {
  if (!response.stream || response.method.methodKind !== "server_streaming") return response;
  const rest = response.message[Symbol.asyncIterator]();
  const first = await rest.next();
  return { ...response, message: resumed(first, rest) as typeof response.message };
}

async function* resumed<Message>(first: IteratorResult<Message>, rest: AsyncIterator<Message>) {
  let result = first;
  while (!result.done) {
    yield result.value;
    result = await rest.next();
  }
}

async function collected(messages: AsyncIterable<unknown>): Promise<unknown[]> {
  const all = [];
  for await (const message of messages) all.push(message);
  return all;
}

async function* each<Message>(messages: readonly Message[]) {
  yield* messages;
}
