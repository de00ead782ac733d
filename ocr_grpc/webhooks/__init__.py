"""Webhooks: tells addresses of its users what happened to their batches."""
