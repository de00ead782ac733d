package ocrgrpc.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.util.Optional;

/**
 * Gives every call the credentials in force.
 *
 * <p>In a session, calls that send one message are sent again once if their token expired on the
 * way. Uploads are not kept, so those who send them look after that.
 */
final class CredentialsInterceptor implements ClientInterceptor {
  /** Who is calling: by a key, in a session, or neither. */
  private record Caller(Optional<Credentials> credentials, Optional<Session> session) {}

  private static final Caller NOBODY = new Caller(Optional.empty(), Optional.empty());

  private volatile Caller caller = NOBODY;

  void use(Credentials key) {
    caller = new Caller(Optional.of(key), Optional.empty());
  }

  void use(Session session) {
    caller = new Caller(Optional.of(Credentials.ofSession(session)), Optional.of(session));
  }

  void useNone() {
    caller = NOBODY;
  }

  Optional<Session> session() {
    return caller.session();
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    Caller current = caller;
    if (options.getCredentials() != null || current.credentials().isEmpty()) {
      return next.newCall(method, options);
    }
    CallOptions signed = options.withCallCredentials(current.credentials().get());
    if (current.session().isPresent() && method.getType().clientSendsOneMessage()) {
      return new RenewingCall<>(
          () -> next.newCall(method, signed), current.session().get(), options.getExecutor());
    }
    return next.newCall(method, signed);
  }
}
