"""Extractions whose events are kept, so that a broken stream goes on where it stopped."""
