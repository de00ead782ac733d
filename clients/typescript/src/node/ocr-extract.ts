#!/usr/bin/env node
// Prints the text of a document while it is read.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connect, OcrError, type PageFinished, PageOutcome, SourceError } from "./index.js";
import { TextInOrder } from "./text-in-order.js";

const USAGE = `Usage: ocr-extract [--address host:port] [--key KEY] FILE

Prints the text of FILE while it is read; "-" reads from standard input.

  --address  where the service is, with https:// in front for TLS.
             Default: OCR_ADDRESS, else 127.0.0.1:50051
  --key      an API key. Default: OCR_API_KEY, else none

OCR_CA_FILE names the authorities to trust instead of the system's.
`;

interface Wish {
  readonly address: string;
  readonly apiKey: string | undefined;
  readonly file: string;
}

async function main(): Promise<number> {
  const wish = wishOf(process.argv.slice(2));
  if (!wish) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    return await print(wish);
  } catch (error) {
    process.stderr.write(`${sentenceOf(error)}\n`);
    return 1;
  }
}

function wishOf(commandLine: string[]): Wish | undefined {
  const options = { address: { type: "string" }, key: { type: "string" } } as const;
  try {
    const { values, positionals } = parseArgs({
      args: commandLine,
      options,
      allowPositionals: true,
    });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) return undefined;
    return {
      address: values.address ?? process.env.OCR_ADDRESS ?? "127.0.0.1:50051",
      apiKey: values.key ?? process.env.OCR_API_KEY,
      file,
    };
  } catch {
    return undefined;
  }
}

async function print({ address, apiKey, file }: Wish): Promise<number> {
  const ca = process.env.OCR_CA_FILE;
  const client = connect(address, {
    ...(apiKey ? { apiKey } : {}),
    ...(ca && address.startsWith("https://") ? { tls: { ca: readFileSync(ca) } } : {}),
  });
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.stdout.once("error", () => process.exit(1)); // nobody reads on: `head` has seen enough
  const text = new TextInOrder((piece) => process.stdout.write(piece));
  let lost = 0;
  try {
    const source = file === "-" ? process.stdin : file;
    for await (const event of client.extract(source, { signal: stop.signal })) {
      text.add(event);
      if (event.event.case === "pageFinished") lost += complaint(event.event.value);
    }
  } finally {
    text.end();
    client.close();
  }
  return lost === 0 ? 0 : 1;
}

/** Says that a page could not be read. */
function complaint({ outcome, pageNumber, reason, message }: PageFinished): number {
  if (outcome !== PageOutcome.FAILED) return 0;
  process.stderr.write(`Page ${pageNumber} could not be read: ${message} (${reason})\n`);
  return 1;
}

function sentenceOf(error: unknown): string {
  if (error instanceof SourceError) return error.message;
  const { message, reason, requestId } = OcrError.from(error);
  return [message, reason && `(${reason})`, requestId && `[${requestId}]`]
    .filter(Boolean)
    .join(" ");
}

process.exitCode = await main();
