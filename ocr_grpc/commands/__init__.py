"""The commands of `ocr-grpc`, one a file."""
