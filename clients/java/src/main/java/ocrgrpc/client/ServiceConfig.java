package ocrgrpc.client;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** The service's policy for retries and deadlines, as it ships with the protos. */
final class ServiceConfig {
  /** As gRPC wants it: maps, lists, strings and doubles. */
  static final Map<String, ?> MAP = load();

  private ServiceConfig() {}

  /** Returns the retry policy of a method, such as `OcrService` and `UploadExtract`. */
  static RetryPolicy retryPolicy(String service, String method) {
    Map<?, ?> config = methodConfig("ocr_grpc.v1." + service, method);
    if (config == null || !(config.get("retryPolicy") instanceof Map<?, ?> policy)) {
      throw new IllegalArgumentException("No retry policy for " + service + "/" + method);
    }
    return new RetryPolicy(
        ((Double) policy.get("maxAttempts")).intValue(),
        seconds(policy.get("initialBackoff")),
        seconds(policy.get("maxBackoff")),
        (Double) policy.get("backoffMultiplier"));
  }

  /** Returns the entry that names the method, or else the one that names its whole service. */
  private static Map<?, ?> methodConfig(String service, String method) {
    Map<?, ?> ofService = null;
    for (Object each : (List<?>) MAP.get("methodConfig")) {
      Map<?, ?> config = (Map<?, ?>) each;
      for (Object name : (List<?>) config.get("name")) {
        Map<?, ?> named = (Map<?, ?>) name;
        if (service.equals(named.get("service")) && method.equals(named.get("method"))) {
          return config;
        }
        if (service.equals(named.get("service")) && named.get("method") == null) {
          ofService = config;
        }
      }
    }
    return ofService;
  }

  private static double seconds(Object duration) {
    String text = (String) duration;
    return Double.parseDouble(text.substring(0, text.length() - 1)); // "0.2s"
  }

  private static Map<String, ?> load() {
    try (InputStream stream = ServiceConfig.class.getResourceAsStream("service_config.json");
        Reader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
      return new Gson().fromJson(reader, new TypeToken<Map<String, Object>>() {});
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
