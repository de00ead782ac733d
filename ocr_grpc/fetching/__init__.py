"""Fetches documents that a caller names by URL, without becoming a way into private networks."""
