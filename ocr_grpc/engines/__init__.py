"""Engines that read images of pages, and the worker processes they live in."""
