"""Presentations: a slide is a page. Child only."""
