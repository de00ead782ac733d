"""Zip containers and their XML, opened with suspicion. Child only."""
