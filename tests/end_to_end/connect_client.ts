// What a page does with the service, by connect-web and the stubs of the web app.
// Run by test_http_connect.py: the URL and a document are its arguments; prints one line of JSON.
import { readFileSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { OcrService } from "./gen/ocr_grpc/v1/ocr_service_pb.ts";

const [baseUrl, path] = process.argv.slice(2);
const ocr = createClient(OcrService, createGrpcWebTransport({ baseUrl }));
const content = new Uint8Array(readFileSync(path));

async function refused(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    const known = ConnectError.from(error);
    return { code: Code[known.code], reason: known.findDetails(ErrorInfoSchema)[0]?.reason };
  }
  return {};
}

/** Reads a stream until its first text and then hangs up. */
async function untilFirstText() {
  const hangUp = new AbortController();
  const kinds: (string | undefined)[] = [];
  try {
    for await (const { event } of ocr.streamExtract({ content }, { signal: hangUp.signal })) {
      kinds.push(event.case);
      if (event.case === "delta") hangUp.abort();
    }
  } catch (error) {
    return { kinds, code: Code[ConnectError.from(error).code] };
  }
  return { kinds };
}

/** What a call ends with whose deadline is over, be it by the client's own timer or by Envoy's. */
const late = () => refused(ocr.extract({ content }, { timeoutMs: 1000 }));

const capabilities = await ocr.getCapabilities({});
const failed: (string | undefined)[] = [];
const failure = await refused(
  (async () => {
    for await (const { event } of ocr.streamExtract({ content: new Uint8Array() }))
      failed.push(event.case);
  })(),
);
console.log(
  JSON.stringify({
    engine: capabilities.engines[0].name,
    hungUp: await untilFirstText(),
    refused: await refused(ocr.extract({ content: new Uint8Array() })),
    streamed: { kinds: failed, ...failure },
    late: await late(),
  }),
);
