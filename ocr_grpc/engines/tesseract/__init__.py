"""Tesseract as an engine, for scripts that PP-OCR does not read. Light to import."""
