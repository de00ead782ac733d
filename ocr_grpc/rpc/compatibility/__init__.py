"""The HTTP interfaces of other services; docs/compatibility.md says what they honour."""
