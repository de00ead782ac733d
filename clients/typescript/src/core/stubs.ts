// Stubs of all services, as connect-es makes them, with the errors of this library. Whoever leaves
// the loop over a stream cancels the call; connect-es alone would let it run on.
import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, createClient, type Transport } from "@connectrpc/connect";
import { OcrError } from "./errors.js";
import { Scope } from "./waiting.js";

type Method = (request: unknown, options?: CallOptions) => unknown;

/** Returns a stub of a service. */
export function stubOf<Service extends DescService>(
  service: Service,
  transport: Transport,
): Client<Service> {
  const inner = createClient(service, transport) as unknown as Record<string, Method>;
  const methods = service.methods.map(({ localName, methodKind }) => {
    const method = inner[localName] as Method;
    const streams = methodKind === "server_streaming" || methodKind === "bidi_streaming";
    return [localName, streams ? streaming(method) : answering(method)];
  });
  return Object.fromEntries(methods) as Client<Service>;
}

function answering(method: Method): Method {
  return async (request, options) => {
    try {
      return await method(request, options);
    } catch (error) {
      throw OcrError.from(error);
    }
  };
}

function streaming(method: Method): Method {
  return (request, options) =>
    cancelling(
      (signal) => method(request, { ...options, signal }) as AsyncIterable<unknown>,
      options?.signal,
    );
}

async function* cancelling<Message>(
  open: (signal: AbortSignal) => AsyncIterable<Message>,
  signal: AbortSignal | undefined,
) {
  const scope = new Scope(signal, undefined);
  try {
    yield* open(scope.signal);
  } catch (error) {
    throw OcrError.from(error);
  } finally {
    scope.end();
  }
}
