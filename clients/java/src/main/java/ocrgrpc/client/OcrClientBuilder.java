package ocrgrpc.client;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Says how to reach the service, and as whom. Without more it is plain text and nobody. */
public final class OcrClientBuilder {
  private static final int MAX_MESSAGE_BYTES = 64 << 20;
  private static final int MAX_METADATA_BYTES = 64 << 10;
  private static final long KEEPALIVE_SECONDS = 30;
  private static final long KEEPALIVE_TIMEOUT_SECONDS = 10;

  private final String address;
  private final CredentialsInterceptor credentials = new CredentialsInterceptor();
  private ChannelCredentials channelCredentials = InsecureChannelCredentials.create();

  OcrClientBuilder(String address) {
    this.address = address;
  }

  /** Calls carry this API key. */
  public OcrClientBuilder apiKey(String secret) {
    credentials.use(secret);
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
   * @throws IOException if it cannot be read
   */
  public OcrClientBuilder tls(Path authorities) throws IOException {
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
            .build();
    return new OcrClient(channel, credentials);
  }
}
