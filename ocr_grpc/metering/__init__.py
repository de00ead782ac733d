"""Rate limits, quotas and the usage ledger: how much a caller may do, and what was done."""
