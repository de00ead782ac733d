"""Users, passwords, tokens, API keys, organizations: who is calling, and what that person may do."""
