"""Batches: many documents, read in the background by any process, each page once."""
