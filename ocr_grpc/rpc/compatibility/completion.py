"""The answer of OpenAI's chat endpoint, whole or in server-sent events."""

import json
import secrets
from time import time
from typing import Any

from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction.events import (
    Event,
    Finished,
    PageFinished,
    PageOutcome,
    Started,
    Usage,
)
from ocr_grpc.rpc.status import code_of

LAST_EVENT = b"data: [DONE]\n\n"


class Completion:
    """One answer. Keeps what its end has to say; the text goes through."""

    def __init__(self, model: str) -> None:
        self._head = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time()),
            "model": model,
        }
        self._usage = Usage()
        self._documents_begun = 0
        self._failed_pages: list[dict[str, Any]] = []

    def begin_document(self) -> None:
        """Say that the events of another document follow."""
        self._documents_begun += 1

    def note(self, event: Event) -> None:
        """Keep what the end of the answer tells."""
        if isinstance(event, Started) and event.engine:
            self._head["model"] = event.engine.name
        elif isinstance(event, Finished):
            self._usage += event.usage
        elif isinstance(event, PageFinished) and event.outcome is PageOutcome.FAILED:
            error = event.error
            self._failed_pages.append(
                {
                    "document": self._documents_begun - 1,
                    "page_number": event.page_number,
                    "reason": error.reason if error else "",
                    "message": error.message if error else "",
                }
            )

    def whole(self, text: str) -> bytes:
        """Return the answer in one piece."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return encoded(
            {
                **self._head,
                "object": "chat.completion",
                "choices": [choice],
                "usage": self._usage_json(),
                "failed_pages": self._failed_pages,
            }
        )

    def first_event(self) -> bytes:
        """Return the event that says who speaks."""
        return self._event({"role": "assistant", "content": ""})

    def text_event(self, text: str) -> bytes:
        """Return the event that brings more text."""
        return self._event({"content": text})

    def last_events(self, include_usage: bool) -> bytes:
        """Return what ends a stream that went well."""
        end = self._event({}, "stop", failed_pages=self._failed_pages)
        if include_usage:
            end += _sse({**self._chunk(), "choices": [], "usage": self._usage_json()})
        return end + LAST_EVENT

    def error_event(self, error: OcrError) -> bytes:
        """Return what ends a stream that cannot go on: there is no status to send any more."""
        return _sse(
            {
                "error": {
                    "message": error.message,
                    "type": code_of(error).name.lower(),
                    "code": error.reason,
                    "param": error.field if isinstance(error, InvalidOption) else None,
                }
            }
        )

    def _event(self, delta: dict[str, str], finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _sse({**self._chunk(), "choices": [choice], **more})

    def _chunk(self) -> dict[str, Any]:
        return {**self._head, "object": "chat.completion.chunk"}

    def _usage_json(self) -> dict[str, int]:
        prompt, completion = self._usage.prompt_tokens, self._usage.completion_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }


def encoded(value: dict[str, Any]) -> bytes:
    """Return JSON on one line, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _sse(value: dict[str, Any]) -> bytes:
    return b"data: " + encoded(value) + b"\n\n"
