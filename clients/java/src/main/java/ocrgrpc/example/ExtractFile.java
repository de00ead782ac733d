package ocrgrpc.example;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import ocrgrpc.client.Extraction;
import ocrgrpc.client.OcrClient;
import ocrgrpc.client.OcrClientBuilder;
import ocrgrpc.client.OcrException;
import ocrgrpc.v1.UploadExtractResponse;

/** Prints the text of a file while it is read. */
public final class ExtractFile {
  private static final String USAGE =
      "usage: ocr-extract [--address HOST:PORT] [--key KEY] [--tls] [--ca FILE] FILE";

  private String address = environment("OCR_ADDRESS", "127.0.0.1:50051");
  private String key = environment("OCR_API_KEY", "");
  private String authorities = environment("OCR_CA_FILE", "");
  private boolean tls = !authorities.isEmpty();
  private Path file;

  private ExtractFile(List<String> arguments) {
    Deque<String> left = new ArrayDeque<>(arguments);
    while (!left.isEmpty()) {
      String argument = left.remove();
      switch (argument) {
        case "--address" -> address = left.remove();
        case "--key" -> key = left.remove();
        case "--tls" -> tls = true;
        case "--ca" -> {
          authorities = left.remove();
          tls = true;
        }
        default -> {
          if (argument.startsWith("-") || file != null) {
            throw new IllegalArgumentException(argument);
          }
          file = Path.of(argument);
        }
      }
    }
    if (file == null) {
      throw new IllegalArgumentException("FILE");
    }
  }

  /** Ends with 0, with 1 if the file could not be read, or with 2 if the command is wrong. */
  public static void main(String[] arguments) {
    System.exit(run(List.of(arguments)));
  }

  private static int run(List<String> arguments) {
    ExtractFile command;
    try {
      command = new ExtractFile(arguments);
    } catch (RuntimeException wrong) {
      System.err.println(USAGE);
      return 2;
    }
    try {
      command.print(new PrintStream(System.out, true, StandardCharsets.UTF_8));
      return 0;
    } catch (OcrException refused) {
      System.err.println("ocr-extract: " + refused);
    } catch (NoSuchFileException missing) {
      System.err.println("ocr-extract: There is no " + missing.getMessage());
    } catch (IOException | UncheckedIOException | IllegalArgumentException unusable) {
      System.err.println("ocr-extract: " + unusable.getMessage());
    }
    return 1;
  }

  private void print(PrintStream out) throws IOException {
    try (OcrClient client = client();
        Extraction extraction = client.extract(file)) {
      for (UploadExtractResponse event : extraction) {
        if (event.hasDelta()) {
          out.print(event.getDelta().getText());
        } else if (event.hasPageFinished()) {
          out.println();
        }
        out.flush();
      }
    }
  }

  private OcrClient client() throws IOException {
    OcrClientBuilder builder = OcrClient.builder(address);
    if (!key.isEmpty()) {
      builder.apiKey(key);
    }
    if (!authorities.isEmpty()) {
      builder.tls(Path.of(authorities));
    } else if (tls) {
      builder.tls();
    }
    return builder.build();
  }

  private static String environment(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
