package ocrgrpc.client;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import ocrgrpc.v1.AdminServiceGrpc;
import ocrgrpc.v1.AuthServiceGrpc;
import ocrgrpc.v1.Batch;
import ocrgrpc.v1.BatchServiceGrpc;
import ocrgrpc.v1.CompatibilityServiceGrpc;
import ocrgrpc.v1.CreateBatchRequest;
import ocrgrpc.v1.KeysServiceGrpc;
import ocrgrpc.v1.LoginRequest;
import ocrgrpc.v1.LoginResponse;
import ocrgrpc.v1.LogoutRequest;
import ocrgrpc.v1.OcrServiceGrpc;
import ocrgrpc.v1.OrganizationsServiceGrpc;
import ocrgrpc.v1.ResultFormat;
import ocrgrpc.v1.UploadExtractResponse;
import ocrgrpc.v1.UsageServiceGrpc;
import ocrgrpc.v1.User;
import ocrgrpc.v1.WebhooksServiceGrpc;

/**
 * A connection to the service, its stubs, and what they are used for most.
 *
 * <p>It may be used by many threads at once; what it returns belongs to one thread each. Its
 * methods block, and throw {@link OcrException}; the stubs throw gRPC's `StatusRuntimeException`.
 */
public final class OcrClient implements AutoCloseable {
  private static final long CLOSE_SECONDS = 5;

  private final ManagedChannel bare;
  private final CredentialsInterceptor credentials;
  private final Channel channel;
  private final Closing closing = new Closing();

  OcrClient(ManagedChannel bare, CredentialsInterceptor credentials) {
    this.bare = bare;
    this.credentials = credentials;
    this.channel = ClientInterceptors.intercept(bare, credentials);
  }

  /** Begins a client of the service at `host:port`. */
  public static OcrClientBuilder builder(String address) {
    return new OcrClientBuilder(address);
  }

  /** Signs in: calls that begin from now on are those of the user, until {@link #logout}. */
  public User login(String userName, String password) {
    LoginRequest request =
        LoginRequest.newBuilder().setUserName(userName).setPassword(password).build();
    try {
      LoginResponse response = AuthServiceGrpc.newBlockingStub(bare).login(request);
      resume(
          Tokens.of(
              response.getAccessToken(), response.getRefreshToken(), response.getExpiresIn()));
      return response.getUser();
    } catch (StatusRuntimeException error) {
      throw OcrException.of(error);
    }
  }

  /** Goes on with a session whose tokens were kept. Nobody else may use them any more. */
  public void resume(Tokens tokens) {
    credentials.use(new Session(bare, tokens, InstantSource.system()));
  }

  /** Returns the newest tokens of the session, to keep them. Empty without a session. */
  public Optional<Tokens> tokens() {
    return credentials.session().map(Session::tokens);
  }

  /** Ends the session. Calls that begin from now on carry no credentials. */
  public void logout() {
    try {
      auth().logout(LogoutRequest.getDefaultInstance());
    } catch (StatusRuntimeException error) {
      throw OcrException.of(error);
    } finally {
      credentials.useNone();
    }
  }

  /** Reads a file; see {@link #extract(Source, ExtractSettings)}. */
  public Extraction extract(Path path) throws IOException {
    return extract(Source.of(path), ExtractSettings.DEFAULT);
  }

  /**
   * Reads a document, sending events while it is read. The upload begins when the first is asked
   * for.
   *
   * @return the events; to be closed, which stops the reading if it is still under way
   */
  public Extraction extract(Source source, ExtractSettings settings) {
    return new Extraction(channel, credentials, closing, source, settings);
  }

  /** Reads a whole file; see {@link #read(Source, ExtractSettings)}. */
  public Document read(Path path) throws IOException {
    return read(Source.of(path), ExtractSettings.DEFAULT);
  }

  /** Reads a document and returns all of it at once. */
  public Document read(Source source, ExtractSettings settings) {
    DocumentAssembler assembler = new DocumentAssembler();
    try (Extraction extraction = extract(source, settings)) {
      for (UploadExtractResponse event : extraction) {
        assembler.add(event);
      }
    }
    return assembler.document();
  }

  /**
   * Uploads documents and makes a batch of them.
   *
   * @param sources the documents, 1 to 1,000
   * @param settings everything else of the request; a `request_id` is made unless it has one
   */
  public Batch createBatch(List<Source> sources, CreateBatchRequest settings) {
    return new BatchCalls(channel, credentials, closing).create(sources, settings);
  }

  /** Watches a batch from its beginning, without texts. */
  public BatchWatch watch(String batchId) {
    return watch(batchId, WatchSettings.DEFAULT);
  }

  /** Watches a batch to its end. */
  public BatchWatch watch(String batchId, WatchSettings settings) {
    return new BatchWatch(channel, closing, batchId, settings);
  }

  /** Returns the text of one document of a batch, a form feed between pages. */
  public String downloadText(String batchId, String documentId) {
    return new Downloads(channel).text(batchId, documentId);
  }

  /** Writes the result of one document into a file, which is replaced once all of it has come. */
  public void download(String batchId, String documentId, ResultFormat format, Path file)
      throws IOException {
    new Downloads(channel).download(batchId, documentId, format, file);
  }

  /** Writes the results of a whole batch into a zip archive, which is replaced as above. */
  public void downloadArchive(String batchId, ResultFormat format, Path file) throws IOException {
    new Downloads(channel).downloadArchive(batchId, format, file);
  }

  /** Returns the channel with credentials, retries and deadlines, for stubs of any kind. */
  public Channel channel() {
    return channel;
  }

  /** Accounts and sessions. */
  public AuthServiceGrpc.AuthServiceBlockingStub auth() {
    return AuthServiceGrpc.newBlockingStub(channel);
  }

  /** API keys. */
  public KeysServiceGrpc.KeysServiceBlockingStub keys() {
    return KeysServiceGrpc.newBlockingStub(channel);
  }

  /** Reading documents. */
  public OcrServiceGrpc.OcrServiceBlockingStub ocr() {
    return OcrServiceGrpc.newBlockingStub(channel);
  }

  /** Batches of documents. */
  public BatchServiceGrpc.BatchServiceBlockingStub batches() {
    return BatchServiceGrpc.newBlockingStub(channel);
  }

  /** The ledger. */
  public UsageServiceGrpc.UsageServiceBlockingStub usage() {
    return UsageServiceGrpc.newBlockingStub(channel);
  }

  /** Organizations and their members. */
  public OrganizationsServiceGrpc.OrganizationsServiceBlockingStub organizations() {
    return OrganizationsServiceGrpc.newBlockingStub(channel);
  }

  /** Webhooks. */
  public WebhooksServiceGrpc.WebhooksServiceBlockingStub webhooks() {
    return WebhooksServiceGrpc.newBlockingStub(channel);
  }

  /** Administration. */
  public AdminServiceGrpc.AdminServiceBlockingStub admin() {
    return AdminServiceGrpc.newBlockingStub(channel);
  }

  /** The APIs of others. */
  public CompatibilityServiceGrpc.CompatibilityServiceBlockingStub compatibility() {
    return CompatibilityServiceGrpc.newBlockingStub(channel);
  }

  /** Whether the service can be called, by the standard protocol. */
  public HealthGrpc.HealthBlockingStub health() {
    return HealthGrpc.newBlockingStub(channel);
  }

  /** Ends all calls and the connection; waits for that, 5 seconds at most. */
  @Override
  public void close() {
    closing.close();
    bare.shutdownNow();
    try {
      bare.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException interruption) {
      Thread.currentThread().interrupt();
    }
  }
}
