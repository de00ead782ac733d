"""What is asked of the desk, where it waits for the next transaction."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from ocr_grpc.metering.entries import PageUsage, Reservation


@dataclass(frozen=True, slots=True)
class Token:
    """The right to write for a chunk, good until somebody else takes it up."""

    chunk_id: int
    attempt: int
    batch_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Work:
    """A chunk that was taken up, and what there is to know for reading it.

    Attributes:
        pages: such as `17-32`; empty if the document is still to be opened.
        done: pages of the document that ended already.
        crashes: attempts that ended with their process.
        errors: attempts that ended with an error that may pass.
        alone: whether it may be what kills its process.
        condemned: the page that its processes died of, 0 for the opening. None: none is known.
        options: sealed.
        file_id: None if it is still to be fetched from `url` (sealed).
    """

    token: Token
    user_id: str
    key_id: str | None
    call_id: str
    weight: float
    pages: str
    done: frozenset[int]
    crashes: int
    errors: int
    alone: bool
    condemned: int | None
    options: bytes
    file_id: str | None
    file_name: str
    size_bytes: int
    url: bytes | None


@dataclass(frozen=True, slots=True)
class EndedPage:
    """A page that ended, as it is written.

    Attributes:
        outcome: `ok`, `degraded` or `failed`.
        result: the whole page, see `rpc/page_results.py`.
    """

    number: int
    outcome: str
    reason: str
    usage: PageUsage
    result: bytes


@dataclass(eq=False, slots=True)
class Take:
    """Take a chunk up. The answer is the `Work`, None if there is nothing to do."""

    chunk_id: int
    worker_id: str
    done: "asyncio.Future[Work | None]"


@dataclass(eq=False, slots=True)
class Fetched:
    """Note where the bytes of a document are now."""

    token: Token
    file_id: str
    file_name: str
    size_bytes: int
    done: "asyncio.Future[None]"


@dataclass(eq=False, slots=True)
class Plan:
    """Cut an opened document into chunks, and reserve its pages. The answer: those of this one."""

    token: Token
    reservation: Reservation
    usage_id: str
    document_page_count: int
    period: str
    seconds_to_next_month: float
    done: "asyncio.Future[str]"


@dataclass(eq=False, slots=True)
class Pages:
    """Write pages that ended."""

    token: Token
    pages: list[EndedPage]
    done: "asyncio.Future[None]"


@dataclass(eq=False, slots=True)
class Suspect:
    """Note what is read next by a chunk that runs alone."""

    token: Token
    page: int
    done: "asyncio.Future[None]"


@dataclass(eq=False, slots=True)
class Fail:
    """Close a document that cannot be read as a whole."""

    token: Token
    reason: str
    message: str
    done: "asyncio.Future[None]"


@dataclass(eq=False, slots=True)
class PutBack:
    """Have a chunk wait again.

    Attributes:
        delay: for so long.
        error: whether an error was the cause; else it is just released.
    """

    token: Token
    delay: timedelta
    error: bool
    done: "asyncio.Future[None]"


@dataclass(eq=False, slots=True)
class End:
    """Close a chunk.

    Attributes:
        dead: why it is given up; empty if it was read.
        pages: what is left of it, as failed pages.
        message: for a document that was never opened.
    """

    token: Token
    dead: str
    message: str
    pages: list[EndedPage]
    done: "asyncio.Future[None]"


Held: TypeAlias = Fetched | Plan | Pages | Suspect | Fail | PutBack | End
"""Operations that need a token."""

Operation: TypeAlias = Take | Held
