// The client: stubs of all services, and what is worth more than a stub. The entries for Node and for
// browsers choose how it is connected and where documents come from.
import type { Interceptor, Client as Stub, Transport } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Health } from "../gen/grpc/health/v1/health_pb.js";
import { AdminService } from "../gen/ocr_grpc/v1/admin_service_pb.js";
import { AuthService } from "../gen/ocr_grpc/v1/auth_service_pb.js";
import type { Batch, UploadedDocument } from "../gen/ocr_grpc/v1/batch_pb.js";
import {
  BatchService,
  ResultFormat,
  type WatchBatchResponse,
} from "../gen/ocr_grpc/v1/batch_service_pb.js";
import { CompatibilityService } from "../gen/ocr_grpc/v1/compatibility_service_pb.js";
import { KeysService } from "../gen/ocr_grpc/v1/keys_service_pb.js";
import { OcrService } from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import { OrganizationsService } from "../gen/ocr_grpc/v1/organizations_service_pb.js";
import { UsageService } from "../gen/ocr_grpc/v1/usage_service_pb.js";
import type { User } from "../gen/ocr_grpc/v1/user_pb.js";
import { WebhooksService } from "../gen/ocr_grpc/v1/webhooks_service_pb.js";
import { Assembler, type ReadDocument } from "./assembler.js";
import * as batches from "./batches.js";
import { Credentials, withCredentials } from "./credentials.js";
import { OcrError } from "./errors.js";
import { type ExtractSettings, extraction } from "./extraction.js";
import { type RetryPolicy, ServicePolicy } from "./policy.js";
import { retries } from "./retries.js";
import type { Document, ExtractEvent, Sender } from "./sending.js";
import { kept, Session, type TokenStore, type Tokens } from "./session.js";
import { stubOf } from "./stubs.js";
import { Life, Scope } from "./waiting.js";

/** Who calls. Both may be left out: by those who sign in later, and where nobody has to. */
export interface Caller {
  /** Travels as `x-api-key`. */
  readonly apiKey?: string;
  /** The tokens of a session that was begun earlier. */
  readonly tokens?: Tokens;
  /** Is called with each new pair of tokens, and with nothing when the session is over. */
  readonly onTokens?: (tokens: Tokens | undefined) => void;
  /** In place of both: where clients keep the tokens of a session that they share. */
  readonly tokenStore?: TokenStore;
}

/** Makes a transport that applies some interceptors. */
export type Connect = (interceptors: Interceptor[]) => Transport;

/** What a client is made of. */
export interface Parts {
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly policy: ServicePolicy;
  /** Ends all calls. */
  readonly life: Life;
}

/** Puts together what all entries have in common. */
export function partsOf(connect: Connect, caller: Caller): Parts {
  const policy = new ServicePolicy();
  const life = new Life();
  // Signing in, and on, goes without credentials: those are what it brings.
  const auth = createClient(AuthService, connect([retries(policy, life)]));
  const refresh = (refreshToken: string) => auth.refreshToken({ refreshToken });
  const store = caller.tokenStore ?? kept(caller.tokens, caller.onTokens);
  const session = new Session(store, refresh);
  const credentials = new Credentials(caller.apiKey, session);
  // The outermost first: a new token is a new call, with attempts of its own.
  const transport = connect([withCredentials(credentials), retries(policy, life)]);
  return { transport, credentials, policy, life };
}

/** Calls one service. Errors are `OcrError`. */
export abstract class Client<From, Sent extends Document> {
  readonly auth: Stub<typeof AuthService>;
  readonly keys: Stub<typeof KeysService>;
  readonly ocr: Stub<typeof OcrService>;
  readonly batches: Stub<typeof BatchService>;
  readonly usage: Stub<typeof UsageService>;
  readonly organizations: Stub<typeof OrganizationsService>;
  readonly webhooks: Stub<typeof WebhooksService>;
  readonly admin: Stub<typeof AdminService>;
  readonly compatibility: Stub<typeof CompatibilityService>;
  readonly health: Stub<typeof Health>;
  readonly #session: Session;
  readonly #life: Life;
  readonly #extractRetries: RetryPolicy;
  readonly #uploadRetries: RetryPolicy;

  protected constructor({ transport, credentials, policy, life }: Parts) {
    this.auth = stubOf(AuthService, transport);
    this.keys = stubOf(KeysService, transport);
    this.ocr = stubOf(OcrService, transport);
    this.batches = stubOf(BatchService, transport);
    this.usage = stubOf(UsageService, transport);
    this.organizations = stubOf(OrganizationsService, transport);
    this.webhooks = stubOf(WebhooksService, transport);
    this.admin = stubOf(AdminService, transport);
    this.compatibility = stubOf(CompatibilityService, transport);
    this.health = stubOf(Health, transport);
    this.#session = credentials.session;
    this.#life = life;
    this.#extractRetries = retriesOf(policy, "ocr_grpc.v1.OcrService", "UploadExtract");
    this.#uploadRetries = retriesOf(policy, "ocr_grpc.v1.BatchService", "UploadDocument");
  }

  protected abstract readonly sender: Sender<Sent>;

  /** Opens a source. `fileName` takes the place of its own name. */
  protected abstract documentOf(source: From, fileName: string | undefined): Promise<Sent>;

  /** Signs in. From here on calls carry the access token, which is refreshed by itself. */
  async login(
    userName: string,
    password: string,
    settings: batches.CallSettings = {},
  ): Promise<User> {
    const answer = await this.auth.login({ userName, password }, batches.callOptions(settings));
    await this.#session.begin(answer);
    return answer.user as User;
  }

  /** Signs out: ends this session, or all sessions of the user. */
  async logout(
    settings: batches.CallSettings & { readonly everywhere?: boolean } = {},
  ): Promise<void> {
    const { everywhere = false, ...call } = settings;
    try {
      await this.auth.logout({ everywhere }, batches.callOptions(call));
    } catch (error) {
      // A session that is over already is what was wanted.
      if (OcrError.from(error).code !== Code.Unauthenticated) throw error;
    }
    await this.#session.end();
  }

  /**
   * Reads a document and yields its events while it is read, numbered from 1 without gaps. A broken
   * connection is taken up where it stopped. Leaving the loop cancels the work at once.
   */
  async *extract(
    source: From,
    settings: ExtractSettings = {},
  ): AsyncGenerator<ExtractEvent, void, undefined> {
    const document = await this.documentOf(source, settings.fileName);
    const scope = this.#scope(settings);
    yield* extraction(this.sender, this.ocr, this.#extractRetries, document, settings, scope);
  }

  /** Reads a document and returns all of it. */
  async read(source: From, settings: ExtractSettings = {}): Promise<ReadDocument> {
    const assembler = new Assembler();
    for await (const event of this.extract(source, settings)) assembler.add(event);
    return assembler.document();
  }

  /** Uploads one document for batches to come. */
  async uploadDocument(
    source: From,
    settings: batches.UploadSettings = {},
  ): Promise<UploadedDocument> {
    const document = await this.documentOf(source, settings.fileName);
    return batches.upload(this.sender, this.#uploadRetries, document, this.#scope(settings));
  }

  /** Uploads documents, one after the other, and makes a batch of them. */
  async createBatch(
    sources: Iterable<From> | AsyncIterable<From>,
    settings: batches.BatchSettings = {},
  ): Promise<Batch> {
    const send = (source: From, call: batches.CallSettings) => this.uploadDocument(source, call);
    return batches.create(this.batches, sources, send, settings, this.#scope(settings));
  }

  /** Yields the events of a batch, numbered without gaps, until it has ended. */
  async *watch(
    batchId: string,
    settings: batches.WatchSettings = {},
  ): AsyncGenerator<WatchBatchResponse, void, undefined> {
    const scope = this.#scope(settings);
    yield* batches.watch(this.batches, this.#extractRetries, batchId, settings, scope);
  }

  /** Yields the bytes of one document's result. What has come before an error is no result. */
  downloadDocument(
    batchId: string,
    documentId: string,
    { format = ResultFormat.UNSPECIFIED, partial = false, ...call }: batches.DownloadSettings = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const request = { batchId, documentId, format, partial };
    return batches.bytesOf(this.batches.downloadBatchDocument(request, batches.callOptions(call)));
  }

  /** Returns the text of one document of a batch, a form feed between pages. */
  async downloadText(
    batchId: string,
    documentId: string,
    settings: Omit<batches.DownloadSettings, "format"> = {},
  ): Promise<string> {
    const decoder = new TextDecoder();
    const pieces = this.downloadDocument(batchId, documentId, {
      ...settings,
      format: ResultFormat.TEXT,
    });
    let text = "";
    for await (const piece of pieces) text += decoder.decode(piece, { stream: true });
    return text + decoder.decode();
  }

  /** Yields the bytes of a zip archive with the results of a batch. What has come before an error is no archive. */
  downloadArchive(
    batchId: string,
    { format = ResultFormat.UNSPECIFIED, partial = false, ...call }: batches.DownloadSettings = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const request = { batchId, format, partial };
    return batches.bytesOf(this.batches.downloadBatch(request, batches.callOptions(call)));
  }

  /** Ends all calls that run, which fail with `Canceled`, and all that come. */
  close(): void {
    this.#life.end(new ConnectError("The client is closed.", Code.Canceled));
  }

  #scope({ signal, timeoutMs }: batches.CallSettings): Scope {
    return new Scope(signal, timeoutMs, this.#life);
  }
}

function retriesOf(policy: ServicePolicy, service: string, method: string): RetryPolicy {
  const { retry } = policy.of(service, method);
  if (!retry) throw new Error(`The service config has no retries for ${service}/${method}.`);
  return retry;
}
