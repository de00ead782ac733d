package ocrgrpc.client;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import ocrgrpc.v1.ApiKey;
import ocrgrpc.v1.CallerLimits;
import ocrgrpc.v1.CreateKeyRequest;
import ocrgrpc.v1.CreateUserRequest;
import ocrgrpc.v1.RegisterRequest;
import ocrgrpc.v1.Scope;
import ocrgrpc.v1.User;

/** The running service that the environment names, and people who use it. */
final class Stage {
  static final String PASSWORD = "correct horse battery";

  private Stage() {}

  static String variable(String name) {
    return System.getenv(name);
  }

  static Path sample(String name) {
    return Path.of(variable("OCR_SAMPLES"), name);
  }

  /** Returns the lines of each page of scan.pdf. */
  static List<List<String>> expected() throws IOException {
    return new Gson()
        .fromJson(
            Files.readString(sample("expected.json")), new TypeToken<List<List<String>>>() {});
  }

  static String newName() {
    return "java-" + UUID.randomUUID().toString().substring(0, 12);
  }

  /** Returns a client signed in as somebody new. */
  static OcrClient newUser(String address) {
    OcrClient client = OcrClient.builder(address).build();
    String name = newName();
    client
        .auth()
        .register(RegisterRequest.newBuilder().setUserName(name).setPassword(PASSWORD).build());
    client.login(name, PASSWORD);
    return client;
  }

  /** Returns a client signed in as somebody new with limits, whom the administrator made. */
  static OcrClient newUser(String address, CallerLimits limits) {
    String name = newName();
    User user = User.newBuilder().setUserName(name).setLimits(limits).build();
    try (OcrClient admin = OcrClient.builder(address).build()) {
      admin.login(variable("OCR_ADMIN_NAME"), variable("OCR_ADMIN_PASSWORD"));
      admin
          .admin()
          .createUser(CreateUserRequest.newBuilder().setUser(user).setPassword(PASSWORD).build());
    }
    OcrClient client = OcrClient.builder(address).build();
    client.login(name, PASSWORD);
    return client;
  }

  /** Returns the secret of a new key of the user. */
  static String newKey(OcrClient client) {
    ApiKey.Builder key =
        ApiKey.newBuilder()
            .setDisplayName("java")
            .addScopes(Scope.SCOPE_OCR)
            .addScopes(Scope.SCOPE_USAGE);
    return client.keys().createKey(CreateKeyRequest.newBuilder().setKey(key).build()).getSecret();
  }

  /** Kills the service and starts it again; returns when it is ready. */
  static void restart() {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(variable("OCR_CONTROL") + "/restart"))
            .timeout(Duration.ofSeconds(180))
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    try {
      int status =
          HttpClient.newHttpClient()
              .send(request, HttpResponse.BodyHandlers.discarding())
              .statusCode();
      if (status != 200) {
        throw new IllegalStateException("The control answered " + status);
      }
    } catch (IOException | InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }
}
