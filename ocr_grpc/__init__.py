"""A self-hosted OCR service that streams recognized text over gRPC."""

import os

# Children are started by fork and exec, and never use gRPC in between; without this grpc says at
# each start that it skips its own preparations for a fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# Otherwise every scan of a port that speaks TLS is a line of grpc's own in the log.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

# Importing numpy starts a thread of OpenBLAS for each core, a tenth of a second of CPU and memory
# for each, and nothing here multiplies matrices with it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
