"""The synchronous client: the asynchronous one in a thread of its own."""

import os
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from .assembler import Document
from .channels import MAX_MESSAGE_BYTES
from .client import OcrClient
from .credentials import Tokens
from .extraction import ExtractEvent
from .messages import (
    Batch,
    BatchPriority,
    ExtractOptions,
    NewBatchDocument,
    ResultFormat,
    UploadedDocument,
    User,
    WatchBatchResponse,
)
from .portal import Portal
from .portal_caller import PortalCaller
from .resuming import RESUME_SECONDS
from .services import (
    AdminServiceSyncStub,
    AuthServiceSyncStub,
    BatchServiceSyncStub,
    CompatibilityServiceSyncStub,
    HealthSyncStub,
    KeysServiceSyncStub,
    OcrServiceSyncStub,
    OrganizationsServiceSyncStub,
    UsageServiceSyncStub,
    WebhooksServiceSyncStub,
)
from .sources import Source


class SyncOcrClient:
    """Calls an ocr_grpc service from code without asyncio; `OcrClient` says what everything means.

    Has the same methods and stubs. Streams are generators: leaving the loop, or `close`, cancels
    the call. Any number of threads may use a client at once; one stream belongs to one thread.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        api_key: str = "",
        tokens: Tokens | None = None,
        tls: bool = False,
        ca_file: str | os.PathLike[str] | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        resume_seconds: float = RESUME_SECONDS,
    ) -> None:
        """Prepare to connect; the first call does."""
        self._client = OcrClient(
            address,
            api_key=api_key,
            tokens=tokens,
            tls=tls,
            ca_file=ca_file,
            max_message_bytes=max_message_bytes,
            resume_seconds=resume_seconds,
        )
        self._portal = Portal.enter()
        self._closed, self._closing = False, threading.Lock()
        caller = PortalCaller(self._portal, self._client.caller)
        self.auth = AuthServiceSyncStub(caller)
        self.keys = KeysServiceSyncStub(caller)
        self.ocr = OcrServiceSyncStub(caller)
        self.batches = BatchServiceSyncStub(caller)
        self.usage = UsageServiceSyncStub(caller)
        self.organizations = OrganizationsServiceSyncStub(caller)
        self.webhooks = WebhooksServiceSyncStub(caller)
        self.admin = AdminServiceSyncStub(caller)
        self.compatibility = CompatibilityServiceSyncStub(caller)
        self.health = HealthSyncStub(caller)

    def __repr__(self) -> str:
        return f"Sync{self._client!r}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that are under way end with a `RuntimeError`."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        try:
            with suppress(RuntimeError):  # the program is ending, and has ended this
                self._portal.run(self._client.close())
        finally:
            self._portal.leave()

    def login(self, user_name: str, password: str, *, timeout: float | None = None) -> User:
        """Sign in; calls from now on are this user's. The session renews itself."""
        return self._portal.run(self._client.login(user_name, password, timeout=timeout))

    def logout(self, *, everywhere: bool = False, timeout: float | None = None) -> None:
        """End this session, or all sessions of the user."""
        self._portal.run(self._client.logout(everywhere=everywhere, timeout=timeout))

    @property
    def tokens(self) -> Tokens | None:
        """The newest tokens of the session. None without a session."""
        return self._client.tokens

    def extract(
        self,
        source: Source,
        *,
        options: ExtractOptions | None = None,
        file_name: str = "",
        request_id: str = "",
        resumable: bool | None = None,
        timeout: float | None = None,
    ) -> Generator[ExtractEvent, None, None]:
        """Read one document of any size and yield the events while it is read."""
        return self._portal.iterate(
            self._client.extract(
                source,
                options=options,
                file_name=file_name,
                request_id=request_id,
                resumable=resumable,
                timeout=timeout,
            )
        )

    def read(
        self,
        source: Source,
        *,
        options: ExtractOptions | None = None,
        file_name: str = "",
        request_id: str = "",
        timeout: float | None = None,
    ) -> Document:
        """Read one document of any size and return all of it."""
        return self._portal.run(
            self._client.read(
                source, options=options, file_name=file_name, request_id=request_id, timeout=timeout
            )
        )

    def create_batch(
        self,
        sources: Iterable[Source | NewBatchDocument],
        *,
        options: ExtractOptions | None = None,
        display_name: str = "",
        priority: BatchPriority = BatchPriority.UNSPECIFIED,
        retention_hours: int = 0,
        request_id: str = "",
        timeout: float | None = None,
    ) -> Batch:
        """Upload documents and make a batch of them."""
        return self._portal.run(
            self._client.create_batch(
                sources,
                options=options,
                display_name=display_name,
                priority=priority,
                retention_hours=retention_hours,
                request_id=request_id,
                timeout=timeout,
            )
        )

    def upload(
        self, source: Source, *, file_name: str = "", timeout: float | None = None
    ) -> UploadedDocument:
        """Upload one document for a batch to come."""
        return self._portal.run(self._client.upload(source, file_name=file_name, timeout=timeout))

    def watch(
        self, batch_id: str, *, after_sequence: int = 0, pages: bool = False
    ) -> Generator[WatchBatchResponse, None, None]:
        """Yield the events of a batch: those after a number, then those to come."""
        return self._portal.iterate(
            self._client.watch(batch_id, after_sequence=after_sequence, pages=pages)
        )

    def result(
        self,
        batch_id: str,
        document_id: str,
        *,
        format: ResultFormat = ResultFormat.TEXT,  # noqa: A002 - the name in the contract
        partial: bool = False,
        timeout: float | None = None,
    ) -> str:
        """Return what was read of one document of a batch."""
        return self._portal.run(
            self._client.result(
                batch_id, document_id, format=format, partial=partial, timeout=timeout
            )
        )

    def download(
        self,
        batch_id: str,
        path: str | os.PathLike[str],
        *,
        document_id: str = "",
        format: ResultFormat = ResultFormat.TEXT,  # noqa: A002 - the name in the contract
        partial: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Write what was read of one document to a file, or a zip archive of all."""
        return self._portal.run(
            self._client.download(
                batch_id,
                path,
                document_id=document_id,
                format=format,
                partial=partial,
                timeout=timeout,
            )
        )
