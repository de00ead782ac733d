package ocrgrpc.client;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Skips the tests of a class, and of those that extend it, without a running service. */
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@EnabledIfEnvironmentVariable(
    named = "OCR_GRPC",
    matches = ".+",
    disabledReason = "needs a running service: `make test` starts one")
@interface NeedsService {}
