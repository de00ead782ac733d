"""Flowing documents and books, which pandoc converts. Child only."""
