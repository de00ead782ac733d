"""Receives the mails of a service and keeps them as files."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller

from tests.processes import free_ports


class Inbox:
    """Keeps the text of the last mail to an address in a file of that name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802 - aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        for address in envelope.rcpt_tos:
            part = self._folder / f"{address}.part"
            part.write_text(mail.get_content())
            part.rename(self._folder / address)
        return "250 OK"


@contextmanager
def inbox(folder: Path) -> Iterator[str]:
    """Receive mails while the block runs; yield the URL for `SMTP_URL`."""
    folder.mkdir(exist_ok=True)
    [port] = free_ports(1)
    mails = Controller(Inbox(folder), hostname="127.0.0.1", port=port)
    mails.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        mails.stop()
