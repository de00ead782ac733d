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
  private volatile Optional<Credentials> credentials = Optional.empty();
  private volatile Optional<Session> session = Optional.empty();

  void use(String apiKey) {
    session = Optional.empty();
    credentials = Optional.of(Credentials.ofKey(apiKey));
  }

  void use(Session newSession) {
    session = Optional.of(newSession);
    credentials = Optional.of(Credentials.ofSession(newSession));
  }

  void useNone() {
    credentials = Optional.empty();
    session = Optional.empty();
  }

  Optional<Session> session() {
    return session;
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    Optional<Session> current = session;
    CallOptions withCredentials =
        credentials
            .filter(each -> options.getCredentials() == null)
            .map(options::withCallCredentials)
            .orElse(options);
    if (current.isPresent() && method.getType().clientSendsOneMessage()) {
      return new RenewingCall<>(() -> next.newCall(method, withCredentials), current.get());
    }
    return next.newCall(method, withCredentials);
  }
}
