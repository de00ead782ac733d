"""A self-hosted OCR service that streams recognized text over gRPC."""

import os

# Children are started by fork and exec, and never use gRPC in between; without this grpc says at
# each start that it skips its own preparations for a fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# Otherwise every scan of a port that speaks TLS is a line of grpc's own in the log.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
