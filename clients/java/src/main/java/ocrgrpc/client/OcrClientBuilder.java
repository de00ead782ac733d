package ocrgrpc.client;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Says how to reach the service, and as whom. Without more it is plain text and nobody. */
public final class OcrClientBuilder {
  private static final int MAX_MESSAGE_BYTES = 64 << 20;
  private static final int MAX_METADATA_BYTES = 64 << 10;
  private static final long KEEPALIVE_SECONDS = 30;
  private static final long KEEPALIVE_TIMEOUT_SECONDS = 10;

  private final String address;
  private Optional<Credentials> key = Optional.empty();
  private ChannelCredentials channelCredentials = InsecureChannelCredentials.create();

  OcrClientBuilder(String address) {
    this.address = Objects.requireNonNull(address, "The address, as in 127.0.0.1:50051.");
  }

  /** Calls carry this API key. Space around it, such as the end of a line, is dropped. */
  public OcrClientBuilder apiKey(String secret) {
    key = Optional.of(Credentials.ofKey(secret));
    return this;
  }

  /** The connection is encrypted; the certificate is checked against the system's authorities. */
  public OcrClientBuilder tls() {
    channelCredentials = TlsChannelCredentials.create();
    return this;
  }

  /**
   * The connection is encrypted; the certificate is checked against one's own authorities.
   *
   * @param authorities a file of their certificates in PEM
   * @throws IOException if it cannot be read, or has none
   */
  public OcrClientBuilder tls(Path authorities) throws IOException {
    try (InputStream stream = Files.newInputStream(authorities)) {
      CertificateFactory.getInstance("X.509").generateCertificates(stream).iterator().next();
    } catch (CertificateException | NoSuchElementException error) {
      throw new IOException(authorities + " has no certificates in PEM.", error);
    }
    channelCredentials =
        TlsChannelCredentials.newBuilder().trustManager(authorities.toFile()).build();
    return this;
  }

  /** Returns the client. It connects when it is first used. */
  public OcrClient build() {
    ManagedChannel channel =
        Grpc.newChannelBuilder(address, channelCredentials)
            .defaultServiceConfig(ServiceConfig.MAP)
            .disableServiceConfigLookUp() // ours is the policy, whatever a DNS server says
            .enableRetry()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            // Else nobody notices that a connection which is being made is never answered.
            .keepAliveWithoutCalls(true)
            .build();
    CredentialsInterceptor credentials = new CredentialsInterceptor();
    key.ifPresent(credentials::use);
    return new OcrClient(channel, credentials);
  }
}
