"""Why a server does not start."""


class CannotServe(Exception):
    """The service cannot start; the message says what to do."""
