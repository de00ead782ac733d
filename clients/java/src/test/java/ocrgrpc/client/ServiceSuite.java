package ocrgrpc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import ocrgrpc.v1.CallerLimits;
import ocrgrpc.v1.GetCapabilitiesRequest;
import ocrgrpc.v1.GetMeRequest;
import ocrgrpc.v1.ListUsageRequest;
import ocrgrpc.v1.PageFinished;
import ocrgrpc.v1.UploadExtractResponse;
import ocrgrpc.v1.UploadExtractResponse.EventCase;
import ocrgrpc.v1.UsageRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the client does against a running service, by one of its doors. */
@NeedsService
@Timeout(value = 180, unit = TimeUnit.SECONDS)
abstract class ServiceSuite {
  private static final GetMeRequest ME = GetMeRequest.getDefaultInstance();

  abstract String address();

  abstract String tlsAddress();

  @Test
  void theServiceIsHealthy() {
    try (OcrClient client = OcrClient.builder(address()).build()) {
      assertEquals(
          ServingStatus.SERVING,
          client.health().check(HealthCheckRequest.getDefaultInstance()).getStatus());
    }
  }

  @Test
  void whoRegisteredCanSignInAndOut() {
    try (OcrClient client = Stage.newUser(address())) {
      assertTrue(client.auth().getMe(ME).getUser().getUserName().startsWith("java-"));
      client.logout();
      OcrException error =
          OcrException.of(
              assertThrows(StatusRuntimeException.class, () -> client.auth().getMe(ME)));
      assertEquals(Status.Code.UNAUTHENTICATED, error.code());
    }
  }

  @Test
  void aKeyReadsAScanWithTextThatComesBeforeThePageEnds() throws IOException {
    List<UploadExtractResponse> events = new ArrayList<>();
    try (OcrClient user = Stage.newUser(address());
        OcrClient client = OcrClient.builder(address()).apiKey(Stage.newKey(user)).build();
        Extraction extraction = client.extract(Stage.sample("scan.pdf"))) {
      extraction.forEach(events::add);
    }
    assertGapless(events);
    List<EventCase> cases = events.stream().map(UploadExtractResponse::getEventCase).toList();
    assertTrue(cases.indexOf(EventCase.DELTA) < cases.indexOf(EventCase.PAGE_FINISHED));
    List<List<String>> expected = Stage.expected();
    List<PageFinished> pages = pages(events);
    assertEquals(expected.size(), pages.size());
    for (PageFinished page : pages) {
      assertEquals(expected.get(page.getPageNumber() - 1), page.getText().lines().toList());
    }
  }

  @Test
  void aStreamOfUnknownSizeIsReadAsAWhole() throws IOException {
    try (OcrClient client = Stage.newUser(address());
        InputStream stream = Files.newInputStream(Stage.sample("scan.pdf"))) {
      Document document = client.read(Source.of(stream, "scan.pdf"), ExtractSettings.DEFAULT);
      assertEquals(3, document.pagesOk());
      assertEquals(3, document.usage().getPages());
      assertEquals(Stage.expected().get(0), document.pages().get(0).getText().lines().toList());
      assertEquals(2, document.pages().get(0).getLinesCount());
      assertEquals(4, document.pages().get(0).getLines(0).getPolygonCount());
    }
  }

  @Test
  void leavingTheStreamStopsTheReading() throws Exception {
    try (OcrClient client = Stage.newUser(address())) {
      try (Extraction extraction = client.extract(Stage.sample("long.pdf"))) {
        for (UploadExtractResponse event : extraction) {
          if (event.hasDelta()) {
            break;
          }
        }
      }
      UsageRecord record = recorded(client, each -> !each.getStatus().equals("OPEN"));
      assertEquals("CANCELLED", record.getStatus());
      assertTrue(record.getUsage().getPages() < 24);
    }
  }

  @Test
  void fiftyMegabytesAreUploaded() throws IOException {
    try (OcrClient client = Stage.newUser(address())) {
      Document document = client.read(Stage.sample("large.pdf"));
      assertEquals(50_000_000, document.usage().getInputBytes());
    }
  }

  @Test
  void aSpentQuotaRefusesAtOnce() {
    CallerLimits limits = CallerLimits.newBuilder().setPagesPerMonth(1).build();
    try (OcrClient client = Stage.newUser(address(), limits)) {
      OcrException error =
          assertThrows(OcrException.class, () -> client.read(Stage.sample("scan.pdf")));
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, error.code());
      assertEquals("QUOTA_EXCEEDED", error.reason());
      assertFalse(error.quotaViolations().isEmpty());
    }
  }

  @Test
  void tooManyCallsAreRefusedWithTheTimeToComeAgain() {
    CallerLimits limits = CallerLimits.newBuilder().setCallsPerMinute(3).build();
    try (OcrClient client = Stage.newUser(address(), limits)) {
      OcrException error =
          OcrException.of(
              assertThrows(
                  StatusRuntimeException.class,
                  () -> {
                    for (int calls = 0; calls < 10; calls++) {
                      client.auth().getMe(ME);
                    }
                  }));
      assertEquals("RATE_LIMITED", error.reason());
      assertTrue(error.retryDelay().orElseThrow().toMillis() > 0);
    }
  }

  @Test
  void callsAtOnceRefreshASessionOnce() {
    try (OcrClient client = Stage.newUser(address())) {
      Tokens old = client.tokens().orElseThrow();
      client.resume(new Tokens(old.accessToken(), old.refreshToken(), Instant.now()));
      // A refresh token that is used twice would end the session.
      IntStream.range(0, 2)
          .mapToObj(each -> CompletableFuture.runAsync(() -> client.auth().getMe(ME)))
          .toList()
          .forEach(CompletableFuture::join);
      assertNotEquals(old.refreshToken(), client.tokens().orElseThrow().refreshToken());
      client.auth().getMe(ME);
    }
  }

  @Test
  void anErrorTellsItsReasonAndTheRequest() {
    try (OcrClient client = Stage.newUser(address())) {
      OcrException error =
          assertThrows(
              OcrException.class,
              () -> client.read(Source.of(new byte[0], "a.pdf"), ExtractSettings.DEFAULT));
      assertEquals(Status.Code.INVALID_ARGUMENT, error.code());
      assertEquals("EMPTY_DOCUMENT", error.reason());
      assertFalse(error.requestId().isEmpty());
      assertTrue(error.toString().contains("EMPTY_DOCUMENT"));
    }
  }

  @Test
  void aCertificateIsCheckedAgainstTheAuthorities() throws IOException {
    Path authorities = Path.of(Stage.variable("OCR_CA_FILE"));
    GetCapabilitiesRequest request = GetCapabilitiesRequest.getDefaultInstance();
    try (OcrClient client = OcrClient.builder(tlsAddress()).tls(authorities).build();
        OcrClient stranger = OcrClient.builder(tlsAddress()).tls().build()) {
      assertTrue(client.ocr().getCapabilities(request).getEnginesCount() > 0);
      // A call that is not repeated, so that it fails at once.
      OcrException error = assertThrows(OcrException.class, () -> stranger.login("a", "b"));
      assertEquals(Status.Code.UNAVAILABLE, error.code());
      assertTrue(error.getMessage().contains("certification path"), error.getMessage());
    }
  }

  static void assertGapless(List<UploadExtractResponse> events) {
    assertEquals(
        IntStream.rangeClosed(1, events.size()).boxed().toList(),
        events.stream().map(UploadExtractResponse::getSequence).toList());
  }

  static List<PageFinished> pages(List<UploadExtractResponse> events) {
    return events.stream()
        .filter(UploadExtractResponse::hasPageFinished)
        .map(UploadExtractResponse::getPageFinished)
        .toList();
  }

  /** Waits until the ledger has a call of the user, of the kind that uploads, and returns it. */
  static UsageRecord recorded(OcrClient client, Predicate<UsageRecord> wanted)
      throws InterruptedException {
    ListUsageRequest.Builder request = ListUsageRequest.newBuilder();
    request.getFilterBuilder().setMethod("OcrService/UploadExtract");
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (System.nanoTime() < until) {
      List<UsageRecord> records = client.usage().listUsage(request.build()).getRecordsList();
      Optional<UsageRecord> found = records.stream().filter(wanted).findFirst();
      if (found.isPresent()) {
        return found.get();
      }
      Thread.sleep(100);
    }
    throw new AssertionError("The ledger has no such call.");
  }
}
