"""Thousands of hostile documents against a real server: `python -m tests.fuzz`."""
