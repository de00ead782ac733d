"""Brings the texts of pages, which are read side by side, into one text that only ever grows."""

from dataclasses import dataclass

from ocr_grpc.extraction.events import (
    Delta,
    Event,
    PageFinished,
    PageOutcome,
    Retract,
    Started,
)
from ocr_grpc.rpc.errors import TextRevised

BETWEEN_PAGES = "\n\n"


@dataclass(slots=True)
class _Page:
    text: str = ""
    sent: str = ""
    held: bool = False
    """Whether text that was sent has been taken back: then nothing is sent until the end."""
    finished: bool = False


class TextInOrder:
    """Gives out the text of the first page that is not over as it comes, and keeps that of others.

    It holds the text of pages that are read before an earlier one is. What a language model writes
    may be taken back, which nobody can who has sent it: its pages leave whole.
    """

    def __init__(self, whole_pages: bool = False) -> None:
        """Say whether pages need not leave before they are finished, whoever reads them."""
        self._asked_whole = self._whole_pages = whole_pages
        self._pages: dict[int, _Page] = {}
        self._next_page = 1
        self._has_text = False

    def begin_document(self) -> None:
        """Say that the events of another document follow."""
        self._pages = {}
        self._next_page = 1

    def add(self, event: Event) -> str:
        """Take the next event in, and return the text that can leave now.

        Raises:
            TextRevised: text that left already is not what the page says after all.
        """
        match event:
            case Started():
                self._whole_pages = self._asked_whole or bool(
                    event.engine and event.engine.writes_markdown
                )
                return ""
            case Delta() | Retract() if self._whole_pages:
                return ""
            case Delta():
                self._page(event.page_number).text += event.text
            case Retract():
                page = self._page(event.page_number)
                page.text = page.text[: event.offset]
                page.held = page.held or len(page.sent) > event.offset
            case PageFinished():
                page = self._page(event.page_number)
                page.finished, page.held = True, False
                # Of a page that failed in the middle, what has left stays; the end says so.
                failed = event.outcome is PageOutcome.FAILED
                page.text = page.sent if failed else event.text
            case _:
                return ""
        return "".join(self._leaving())

    def _page(self, number: int) -> _Page:
        return self._pages.setdefault(number, _Page())

    def _leaving(self) -> list[str]:
        pieces: list[str] = []
        while page := self._pages.get(self._next_page):
            if not page.held:
                pieces.append(self._rest(page))
            if not page.finished:
                break
            del self._pages[self._next_page]
            self._next_page += 1
        return pieces

    def _rest(self, page: _Page) -> str:
        if not page.text.startswith(page.sent):
            raise TextRevised
        rest = page.text[len(page.sent) :]
        if not rest:
            return ""
        separator = BETWEEN_PAGES if self._has_text and not page.sent else ""
        page.sent, self._has_text = page.text, True
        return separator + rest
