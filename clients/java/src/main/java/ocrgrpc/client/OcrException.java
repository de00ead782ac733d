package ocrgrpc.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Says why a call did not succeed: a code, a stable word for it, and what the service told besides.
 *
 * <p>The methods of {@link OcrClient} throw it. The stubs throw gRPC's own exceptions; {@link
 * #of(Throwable)} makes one of these from them.
 */
public final class OcrException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final String DOMAIN = "ocr_grpc";
  private static final Metadata.Key<com.google.rpc.Status> DETAILS =
      Metadata.Key.of(
          "grpc-status-details-bin",
          ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance()));
  private static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

  private final Status.Code code;
  private final com.google.rpc.Status details;
  private final String requestId;

  private OcrException(
      Status.Code code, com.google.rpc.Status details, String requestId, Throwable cause) {
    super(details.getMessage(), cause);
    this.code = code;
    this.details = details;
    this.requestId = requestId;
  }

  /**
   * Returns what an exception of gRPC, or a cause of it, tells; one of ours is returned as it is.
   */
  public static OcrException of(Throwable error) {
    for (Throwable each = error; each != null; each = each.getCause()) {
      if (each instanceof OcrException ours) {
        return ours;
      }
    }
    for (Throwable each = error; each != null; each = each.getCause()) {
      if (each instanceof StatusException checked) {
        return of(checked.getStatus(), checked.getTrailers(), error);
      }
      if (each instanceof StatusRuntimeException unchecked) {
        return of(unchecked.getStatus(), unchecked.getTrailers(), error);
      }
    }
    return of(Status.UNKNOWN.withDescription(error.getMessage()), null, error);
  }

  static OcrException of(Status status, Metadata trailers, Throwable cause) {
    com.google.rpc.Status details = details(trailers);
    if (details.getMessage().isEmpty()) {
      details = details.toBuilder().setMessage(message(status)).build();
    }
    String requestId = trailers == null ? null : trailers.get(REQUEST_ID);
    return new OcrException(status.getCode(), details, requestId == null ? "" : requestId, cause);
  }

  /** Returns what is wrong with the way to the service, such as a refused connection. */
  private static String message(Status status) {
    String description = status.getDescription();
    String message = description == null ? status.getCode().name() : description;
    Throwable root = status.getCause();
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    return root == null || root.getMessage() == null
        ? message
        : message.lines().findFirst().orElse("") + ": " + root.getMessage();
  }

  static OcrException of(com.google.rpc.Status status) {
    return new OcrException(Status.fromCodeValue(status.getCode()).getCode(), status, "", null);
  }

  static OcrException of(Status.Code code, String message) {
    return of(code.toStatus().withDescription(message), null, null);
  }

  /** The code, such as `RESOURCE_EXHAUSTED`. */
  public Status.Code code() {
    return code;
  }

  /** Why, as a stable word such as `QUOTA_EXCEEDED`. Empty if the error is not the service's. */
  public String reason() {
    return isOfService() ? info().getReason() : "";
  }

  /** What is variable in the message, by name, such as `limit`. */
  public Map<String, String> metadata() {
    return info().getMetadataMap();
  }

  /** How long to wait before the call is worth repeating. Empty if it is not. */
  public Optional<Duration> retryDelay() {
    return detail(RetryInfo.getDefaultInstance())
        .map(RetryInfo::getRetryDelay)
        .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
  }

  /** The fields of the request that are wrong, each with what is wrong with it. */
  public List<BadRequest.FieldViolation> fieldViolations() {
    return detail(BadRequest.getDefaultInstance())
        .map(BadRequest::getFieldViolationsList)
        .orElse(List.of());
  }

  /** The quotas that are spent. */
  public List<QuotaFailure.Violation> quotaViolations() {
    return detail(QuotaFailure.getDefaultInstance())
        .map(QuotaFailure::getViolationsList)
        .orElse(List.of());
  }

  /** Names the call in the logs of the service. Empty if it did not get there. */
  public String requestId() {
    return requestId;
  }

  /** Returns the code, the reason and the message. */
  @Override
  public String toString() {
    String reason = reason();
    return code + (reason.isEmpty() ? "" : " (" + reason + ")") + ": " + getMessage();
  }

  /** Whether the service made this error, and not the way to it. */
  boolean isOfService() {
    return DOMAIN.equals(info().getDomain());
  }

  private ErrorInfo info() {
    return detail(ErrorInfo.getDefaultInstance()).orElse(ErrorInfo.getDefaultInstance());
  }

  @SuppressWarnings("unchecked")
  private <T extends Message> Optional<T> detail(T type) {
    for (Any each : details.getDetailsList()) {
      if (each.is(type.getClass())) {
        try {
          return Optional.of((T) each.unpack(type.getClass()));
        } catch (InvalidProtocolBufferException damaged) {
          return Optional.empty(); // the code and the message still stand
        }
      }
    }
    return Optional.empty();
  }

  private static com.google.rpc.Status details(Metadata trailers) {
    try {
      com.google.rpc.Status found = trailers == null ? null : trailers.get(DETAILS);
      return found == null ? com.google.rpc.Status.getDefaultInstance() : found;
    } catch (IllegalArgumentException damaged) {
      return com.google.rpc.Status.getDefaultInstance();
    }
  }
}
