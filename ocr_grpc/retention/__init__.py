"""Enforces how long what is kept, and forgets who users were that were deleted."""
