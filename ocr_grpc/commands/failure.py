"""What a command says when it could not do its work. Light, since every command starts with it."""


class CommandFailed(Exception):
    """Something a command could not do: one line on stderr, and an exit code.

    The message holds no secret. The reason is the server's stable word, if it came from there.
    """

    def __init__(self, message: str, reason: str = "", *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = printable(message)
        self.reason = printable(reason)
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})" if self.reason else self.message


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: what others wrote may hold escape sequences."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
