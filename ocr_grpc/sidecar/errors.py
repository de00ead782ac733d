"""Why there is no HTTP."""


class SidecarUnavailable(Exception):
    """This machine has no Envoy; the message says what to do. gRPC works without."""


class SidecarFailed(Exception):
    """Envoy does not start or does not take its configuration; the message says why."""
