// The entry for Node: gRPC over HTTP/2; gRPC-Web on request.
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import type { DownloadSettings } from "../core/batches.js";
import { type Caller, Client, type Connect, partsOf } from "../core/client.js";
import { PieceSender } from "./piece-sender.js";
import { documentOf, type PieceDocument, type Source } from "./sources.js";

export * from "../core/index.js";
export type { Source } from "./sources.js";

/** How to connect, and who calls. Everything may be left out. */
export interface ConnectSettings extends Caller {
  /**
   * Whether to speak TLS, and which authorities to trust instead of the system's: PEM. By default TLS
   * is spoken with addresses that begin with `https://`.
   */
  readonly tls?: boolean | { readonly ca: string | Buffer };
  /** `grpc-web` goes through proxies that know no trailers. `grpc` by default. */
  readonly protocol?: "grpc" | "grpc-web";
  /** Milliseconds without a byte after which an open call asks whether the other side is there. 20,000 by default. */
  readonly keepaliveMs?: number;
  /** The largest message that is taken, in bytes. 64 MiB by default. */
  readonly maxMessageBytes?: number;
}

/**
 * Returns a client of the service at an address. It connects when it is first used.
 *
 * @param address `host:port`, or the same with `http://` or `https://` in front.
 */
export function connect(address: string, settings: ConnectSettings = {}): NodeClient {
  return new NodeClient(address, settings);
}

/** Calls the service from Node. */
export class NodeClient extends Client<Source, PieceDocument> {
  protected readonly sender: PieceSender;
  readonly #connection: Http2SessionManager;

  constructor(address: string, settings: ConnectSettings = {}) {
    const url = urlOf(address, settings);
    const connection = new Http2SessionManager(url, keepalive(settings), tlsOf(settings));
    super(partsOf(transportTo(url, connection, settings), settings));
    this.#connection = connection;
    this.sender = new PieceSender(this.ocr, this.batches);
  }

  /** Writes the result of one document of a batch to a file, which is there when all of it is. */
  async saveDocument(
    batchId: string,
    documentId: string,
    path: string,
    settings: DownloadSettings = {},
  ): Promise<void> {
    await save(path, this.downloadDocument(batchId, documentId, settings));
  }

  /** Writes a zip archive with the results of a batch to a file, which is there when all of it is. */
  async saveArchive(batchId: string, path: string, settings: DownloadSettings = {}): Promise<void> {
    await save(path, this.downloadArchive(batchId, settings));
  }

  /** Ends the connection and all calls that run, which fail with `Canceled`, and all that come. */
  override close(): void {
    super.close();
    this.#connection.abort();
  }

  protected documentOf(source: Source, fileName: string | undefined): Promise<PieceDocument> {
    return documentOf(source, fileName);
  }
}

function urlOf(address: string, { tls }: ConnectSettings): string {
  const named = /^https?:\/\//.test(address);
  const url = named ? address : `${tls ? "https" : "http"}://${address}`;
  if (!URL.canParse(url) || !(named || /:[0-9]+$/.test(address))) {
    throw new Error(`An address is host:port, or [host]:port with IPv6, not "${address}".`);
  }
  const { protocol, origin } = new URL(url);
  if (tls !== undefined && (protocol === "https:") !== Boolean(tls)) {
    throw new Error(`The address ${origin} and the setting \`tls\` contradict each other.`);
  }
  return origin;
}

function keepalive({ keepaliveMs = 20_000 }: ConnectSettings) {
  return { pingIntervalMs: keepaliveMs, pingTimeoutMs: 10_000 };
}

function tlsOf({ tls }: ConnectSettings) {
  return typeof tls === "object" ? { ca: tls.ca } : {};
}

function transportTo(
  baseUrl: string,
  sessionManager: Http2SessionManager,
  { protocol = "grpc", maxMessageBytes = 64 * 1024 * 1024 }: ConnectSettings,
): Connect {
  const options = { baseUrl, sessionManager, readMaxBytes: maxMessageBytes };
  return (interceptors) =>
    protocol === "grpc"
      ? createGrpcTransport({ ...options, interceptors })
      : createGrpcWebTransport({ ...options, httpVersion: "2", interceptors });
}

async function save(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
