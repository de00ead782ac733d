"""Load for fault trials: many callers, what each of them saw, and whether that was right.

    python -m benchmarks.load --help             callers against a service that is there
    python -m benchmarks.load.validate FOLDER    what is wrong with what they saw

`python -m tests.faults` runs both while it breaks things; docs/faults.md says what is checked.
"""
