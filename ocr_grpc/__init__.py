"""A self-hosted OCR service that streams recognized text over gRPC."""
