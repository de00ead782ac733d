package ocrgrpc.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How often and how soon a call is repeated, as the service config says.
 *
 * @param maxAttempts how often it is sent in all
 * @param initialBackoffSeconds the longest wait before the first repetition
 * @param maxBackoffSeconds the longest wait before any
 * @param multiplier by what the wait grows
 */
record RetryPolicy(
    int maxAttempts, double initialBackoffSeconds, double maxBackoffSeconds, double multiplier) {

  /** Returns how long to wait after some failures in a row, 1 or more. Some of it is chance. */
  Duration backoff(int failures) {
    double longest = initialBackoffSeconds * Math.pow(multiplier, failures - 1.0);
    double seconds = Math.min(maxBackoffSeconds, longest);
    double chance = ThreadLocalRandom.current().nextDouble(0.8, 1.2);
    return Duration.ofMillis(Math.round(seconds * chance * 1000));
  }
}
