"""Users, passwords, tokens, keys, organizations: who is calling, and what that person may do."""
