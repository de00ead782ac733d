"""What is kept, for how long, and what is left of deleted users."""
