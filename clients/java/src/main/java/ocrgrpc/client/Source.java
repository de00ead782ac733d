package ocrgrpc.client;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a document comes from: a file, bytes, or a stream of any size. */
public final class Source {
  private interface Opener {
    InputStream open() throws IOException;
  }

  private final Opener opener;
  private final String fileName;
  private final long sizeBytes;
  private final boolean repeatable;
  private boolean opened;

  private Source(Opener opener, String fileName, long sizeBytes, boolean repeatable) {
    this.opener = opener;
    this.fileName = fileName;
    this.sizeBytes = sizeBytes;
    this.repeatable = repeatable;
  }

  /**
   * Returns a file, read while it is sent. From a pipe it can be sent once.
   *
   * @throws IOException if it cannot be read
   */
  public static Source of(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a folder");
    }
    Path name = path.getFileName();
    return new Source(
        () -> Files.newInputStream(path),
        name == null ? "" : name.toString(),
        Files.size(path),
        Files.isRegularFile(path)); // not what comes through a pipe
  }

  /** Returns bytes, which must not change until they are sent, and what the file is called. */
  public static Source of(byte[] content, String fileName) {
    return new Source(() -> new ByteArrayInputStream(content), fileName, content.length, true);
  }

  /**
   * Returns a stream, read while it is sent, and what the file is called.
   *
   * <p>It stays the caller's to close. It can be read once: an upload of it is not repeated.
   */
  public static Source of(InputStream stream, String fileName) {
    return new Source(() -> new Unclosed(stream), fileName, 0, false);
  }

  /** What the service is told of its name. May be empty. */
  public String fileName() {
    return fileName;
  }

  /** How many bytes it has. 0: not known. */
  long sizeBytes() {
    return sizeBytes;
  }

  /** Whether it can be read again from its beginning. */
  boolean isRepeatable() {
    return repeatable;
  }

  InputStream open() throws IOException {
    if (opened && !repeatable) {
      throw new IllegalStateException("A stream can be sent once.");
    }
    opened = true;
    return opener.open();
  }

  private static final class Unclosed extends FilterInputStream {
    Unclosed(InputStream stream) {
      super(stream);
    }

    @Override
    public void close() {
      // Whoever opened it closes it.
    }
  }
}
