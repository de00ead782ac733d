"""Documents whose pages are text with structure: Office, HTML, text. Child only."""
