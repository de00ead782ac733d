"""Stubs of the services. Written by scripts/make_stubs.py; do not edit."""

# ruff: noqa
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import Protocol, TypeVar

from betterproto2 import Message

from .grpc.health.v1 import *
from .ocr_grpc.v1 import *

Metadata = tuple[tuple[str, str], ...]
Response = TypeVar("Response", bound=Message)

__all__ = (
    "AdminServiceStub",
    "AdminServiceSyncStub",
    "AuthServiceStub",
    "AuthServiceSyncStub",
    "BatchServiceStub",
    "BatchServiceSyncStub",
    "CompatibilityServiceStub",
    "CompatibilityServiceSyncStub",
    "HealthStub",
    "HealthSyncStub",
    "KeysServiceStub",
    "KeysServiceSyncStub",
    "OcrServiceStub",
    "OcrServiceSyncStub",
    "OrganizationsServiceStub",
    "OrganizationsServiceSyncStub",
    "UsageServiceStub",
    "UsageServiceSyncStub",
    "WebhooksServiceStub",
    "WebhooksServiceSyncStub",
)


class Caller(Protocol):
    """Makes calls, by their kind."""

    async def unary_unary(
        self, path: str, request: Message, response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> Response: ...

    def unary_stream(
        self, path: str, request: Message, response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> AsyncGenerator[Response, None]: ...

    async def stream_unary(
        self, path: str, request: AsyncIterable[Message], response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> Response: ...

    def stream_stream(
        self, path: str, request: AsyncIterable[Message], response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> AsyncGenerator[Response, None]: ...


class AdminServiceStub:
    """Administers users, keys, invitations, usage and the state of the service."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list_users(
        self, request: ListUsersRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListUsersResponse:
        """Lists users, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListUsers", request, ListUsersResponse, timeout, metadata)

    async def create_user(
        self, request: CreateUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateUserResponse:
        """Makes a user. Fails as `Register` does, whatever the setting for registration is."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/CreateUser", request, CreateUserResponse, timeout, metadata)

    async def get_user(
        self, request: GetUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetUserResponse:
        """Returns one user. Fails with `NOT_FOUND` (`USER_NOT_FOUND`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetUser", request, GetUserResponse, timeout, metadata)

    async def update_user(
        self, request: UpdateUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateUserResponse:
        """Changes `user_name`, `email`, `email_verified`, `display_name`, `role`, `disabled` or `limits`
        of a user, or sets a password, which ends the user's sessions.

        Holds on every server within a second. The last administrator who can act stays one, that is,
        who is not disabled and has a password or a live key with `SCOPE_ADMIN`:
        `FAILED_PRECONDITION` (`LAST_ADMIN`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/UpdateUser", request, UpdateUserResponse, timeout, metadata)

    async def delete_user(
        self, request: DeleteUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteUserResponse:
        """Deletes a user: name and address are forgotten, tokens and keys stop working, usage remains.

        Fails with `FAILED_PRECONDITION`: `LAST_ADMIN`, or `LAST_OWNER` of an organization.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/DeleteUser", request, DeleteUserResponse, timeout, metadata)

    async def list_keys(
        self, request: AdminServiceListKeysRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceListKeysResponse:
        """Lists the API keys of all users, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListKeys", request, AdminServiceListKeysResponse, timeout, metadata)

    async def revoke_key(
        self, request: AdminServiceRevokeKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceRevokeKeyResponse:
        """Revokes anybody's key. Fails with `NOT_FOUND` (`KEY_NOT_FOUND`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/RevokeKey", request, AdminServiceRevokeKeyResponse, timeout, metadata)

    async def create_invite(
        self, request: CreateInviteRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateInviteResponse:
        """Makes an invitation and returns its code, this once.

        Where the server sends mail, one for an address is sent to it. Fails with
        `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) and `RetryInfo` after a few mails in a minute.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/CreateInvite", request, CreateInviteResponse, timeout, metadata)

    async def list_invites(
        self, request: ListInvitesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListInvitesResponse:
        """Lists invitations, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListInvites", request, ListInvitesResponse, timeout, metadata)

    async def delete_invite(
        self, request: DeleteInviteRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteInviteResponse:
        """Deletes an invitation: it cannot be used any more. Fails with `NOT_FOUND`
        (`INVITE_NOT_FOUND`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/DeleteInvite", request, DeleteInviteResponse, timeout, metadata)

    async def get_stats(
        self, request: GetStatsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetStatsResponse:
        """Returns figures about the installation."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetStats", request, GetStatsResponse, timeout, metadata)

    async def list_usage(
        self, request: AdminServiceListUsageRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceListUsageResponse:
        """Lists the calls of anyone, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListUsage", request, AdminServiceListUsageResponse, timeout, metadata)

    async def get_usage_summary(
        self, request: AdminServiceGetUsageSummaryRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceGetUsageSummaryResponse:
        """Sums up the calls of anyone."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetUsageSummary", request, AdminServiceGetUsageSummaryResponse, timeout, metadata)

    async def list_dead_letters(
        self, request: ListDeadLettersRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListDeadLettersResponse:
        """Lists parts of batches that were given up because every attempt ended badly, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListDeadLetters", request, ListDeadLettersResponse, timeout, metadata)

    async def resend_dead_letter(
        self, request: ResendDeadLetterRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ResendDeadLetterResponse:
        """Has such a part read again; its batch goes on, and ends anew. Fails with `NOT_FOUND` (`DEAD_LETTER_NOT_FOUND`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ResendDeadLetter", request, ResendDeadLetterResponse, timeout, metadata)

    async def list_audit_events(
        self, request: ListAuditEventsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListAuditEventsResponse:
        """Lists what administrators did and which credentials changed, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListAuditEvents", request, ListAuditEventsResponse, timeout, metadata)

    async def get_system_health(
        self, request: GetSystemHealthRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetSystemHealthResponse:
        """Returns how the parts of this server are."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetSystemHealth", request, GetSystemHealthResponse, timeout, metadata)


class AuthServiceStub:
    """Signs people up and in.

    An access token lives for minutes and travels as `authorization: Bearer …`. A refresh token gets
    the next pair and works once: whoever presents it a second time ends the whole session, because
    one of the two is a thief.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def register(
        self, request: RegisterRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RegisterResponse:
        """Makes an account.

        Fails with `PERMISSION_DENIED` (`REGISTRATION_CLOSED`, `INVITE_REQUIRED`, `INVITE_INVALID`)
        as the server's settings have it, with `ALREADY_EXISTS` (`USER_NAME_TAKEN`, `EMAIL_TAKEN`), and
        with `INVALID_ARGUMENT` (`INVALID_USER_NAME`, `INVALID_EMAIL`, `PASSWORD_TOO_SHORT`). Counts
        with the logins of the network address: `RESOURCE_EXHAUSTED` (`LOGIN_THROTTLED`) and
        `RetryInfo` after too many.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/Register", request, RegisterResponse, timeout, metadata)

    async def login(
        self, request: LoginRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> LoginResponse:
        """Signs in.

        Fails with `UNAUTHENTICATED` (`LOGIN_FAILED`) whatever is wrong, in the same time, or
        (`USER_DISABLED`) if the password is right and the user locked out, and with
        `RESOURCE_EXHAUSTED` (`LOGIN_THROTTLED`) and `RetryInfo` after too many failures.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/Login", request, LoginResponse, timeout, metadata)

    async def issue_token(
        self, request: IssueTokenRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> IssueTokenResponse:
        """Signs in by the password grant of OAuth 2 (RFC 6749, 4.3), as a form.

        The body is `application/x-www-form-urlencoded` with `username`, `password` and, if at all,
        `grant_type=password`; `grant_type=refresh_token` with `refresh_token` works too. Fails as
        `Login` and `RefreshToken` do.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/IssueToken", request, IssueTokenResponse, timeout, metadata)

    async def refresh_token(
        self, request: RefreshTokenRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RefreshTokenResponse:
        """Returns the next pair of tokens; the refresh token that was given is spent.

        Fails with `UNAUTHENTICATED`: `REFRESH_TOKEN_INVALID`, `REFRESH_TOKEN_EXPIRED`,
        `USER_DISABLED`, or `REFRESH_TOKEN_REUSED`, which ends the session.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/RefreshToken", request, RefreshTokenResponse, timeout, metadata)

    async def logout(
        self, request: LogoutRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> LogoutResponse:
        """Ends this session, or all sessions of the user: their tokens stop working within a second."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/Logout", request, LogoutResponse, timeout, metadata)

    async def get_me(
        self, request: GetMeRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetMeResponse:
        """Returns the user who is calling."""
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/GetMe", request, GetMeResponse, timeout, metadata)

    async def update_me(
        self, request: UpdateMeRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateMeResponse:
        """Changes `display_name` or `email` of the user who is calling.

        A new address is not verified; the old one, if it was, is told by mail where the server sends
        any. Fails with `INVALID_ARGUMENT` (`FIELD_NOT_UPDATABLE`) on any other field, and with
        `ALREADY_EXISTS` (`EMAIL_TAKEN`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/UpdateMe", request, UpdateMeResponse, timeout, metadata)

    async def change_password(
        self, request: ChangePasswordRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ChangePasswordResponse:
        """Sets a new password and ends all other sessions. API keys go on working.

        Fails with `UNAUTHENTICATED` (`LOGIN_FAILED`) if the old password is wrong; wrong ones are
        throttled as in `Login`.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/ChangePassword", request, ChangePasswordResponse, timeout, metadata)

    async def request_email_verification(
        self, request: RequestEmailVerificationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RequestEmailVerificationResponse:
        """Sends a mail with a token that confirms the user's address.

        Fails with `FAILED_PRECONDITION` (`MAIL_NOT_CONFIGURED` or `EMAIL_MISSING`), and with
        `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) after a few mails in a minute.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/RequestEmailVerification", request, RequestEmailVerificationResponse, timeout, metadata)

    async def verify_email(
        self, request: VerifyEmailRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> VerifyEmailResponse:
        """Confirms an address with the token of the mail.

        Fails with `INVALID_ARGUMENT` (`MAIL_TOKEN_INVALID`) if it is unknown, used, or too old.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/VerifyEmail", request, VerifyEmailResponse, timeout, metadata)

    async def request_password_reset(
        self, request: RequestPasswordResetRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RequestPasswordResetResponse:
        """Sends a mail with a token for a new password, if the address is some user's verified one.

        Answers the same whether it is. Fails with `FAILED_PRECONDITION` (`MAIL_NOT_CONFIGURED`), and
        with `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) after a few mails in a minute.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/RequestPasswordReset", request, RequestPasswordResetResponse, timeout, metadata)

    async def reset_password(
        self, request: ResetPasswordRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ResetPasswordResponse:
        """Sets a new password with the token of the mail and ends all sessions.

        Fails with `INVALID_ARGUMENT`: `MAIL_TOKEN_INVALID` or `PASSWORD_TOO_SHORT`, and with
        `FAILED_PRECONDITION` (`MAIL_NOT_CONFIGURED`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.AuthService/ResetPassword", request, ResetPasswordResponse, timeout, metadata)


class BatchServiceStub:
    """Reads many documents in the background: a batch survives the end of any process and goes on at the page.

    A batch belongs to whoever made it; batches, documents and uploads of others are `NOT_FOUND`. Pages are charged as
    those of `OcrService`, each once, whatever dies or is repeated on the way: when a document is opened its pages are
    reserved, and if fewer are left it ends as `DOCUMENT_STATE_FAILED` with `QUOTA_EXCEEDED`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create_batch(
        self, request: CreateBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateBatchResponse:
        """Makes a batch of up to 1,000 documents and returns at once.

        Refuses with `INVALID_ARGUMENT` what can be seen to be wrong without opening the documents, naming the field, such
        as `documents[3].url`. Fails with `NOT_FOUND` (`UPLOAD_NOT_FOUND`), `PERMISSION_DENIED` (`PRIORITY_NOT_ALLOWED`),
        and with `RESOURCE_EXHAUSTED`: `TOO_MANY_BATCHES` while too many documents of the caller wait, `UPLOADS_FULL` while
        too many bytes of theirs are kept.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/CreateBatch", request, CreateBatchResponse, timeout, metadata)

    async def list_batches(
        self, request: ListBatchesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListBatchesResponse:
        """Lists the caller's batches, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/ListBatches", request, ListBatchesResponse, timeout, metadata)

    async def upload_document(
        self, request: AsyncIterable[UploadDocumentRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UploadDocumentResponse:
        """Takes one document in pieces, up to `max_document_bytes`, for batches to come. Over REST the body is the file.

        The file name and the size go in the first message, bytes in any. It is kept for a week, and longer while a
        batch uses it; it goes with the last batch that used it. Fails as `UploadExtract` does, counts among the caller's
        streams (`TOO_MANY_STREAMS`), and fails with `RESOURCE_EXHAUSTED` (`UPLOADS_FULL`) while too many bytes of the
        caller wait for a batch, or are kept at all.
        """
        return await self._caller.stream_unary("/ocr_grpc.v1.BatchService/UploadDocument", request, UploadDocumentResponse, timeout, metadata)

    async def delete_upload(
        self, request: DeleteUploadRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteUploadResponse:
        """Deletes an uploaded document. Batches that use it keep it. Fails with `NOT_FOUND` (`UPLOAD_NOT_FOUND`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/DeleteUpload", request, DeleteUploadResponse, timeout, metadata)

    async def get_batch(
        self, request: GetBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetBatchResponse:
        """Returns one batch. Fails with `NOT_FOUND` (`BATCH_NOT_FOUND`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/GetBatch", request, GetBatchResponse, timeout, metadata)

    async def delete_batch(
        self, request: DeleteBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteBatchResponse:
        """Deletes a batch with its results and the files that no other batch uses; one under way is cancelled first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/DeleteBatch", request, DeleteBatchResponse, timeout, metadata)

    def watch_batch(
        self, request: WatchBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[WatchBatchResponse, None]:
        """Sends the events of a batch, numbered from 1 without gaps: those that happened, then those to come as they happen.

        Ends with `finished`, or at once if `after_sequence` is that of `finished`. After a broken connection go on with
        `after_sequence`, at any server. Fails with `ABORTED` (`BATCH_DELETED`) if the batch is deleted meanwhile, and with
        `RESOURCE_EXHAUSTED` (`TOO_MANY_STREAMS`) above 50 of a caller at one server.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.BatchService/WatchBatch", request, WatchBatchResponse, timeout, metadata)

    async def cancel_batch(
        self, request: CancelBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CancelBatchResponse:
        """Ends a batch: pages being read stop within a second, what was read stays. Changes nothing in one that has ended."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/CancelBatch", request, CancelBatchResponse, timeout, metadata)

    async def list_batch_documents(
        self, request: ListBatchDocumentsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListBatchDocumentsResponse:
        """Lists the documents of a batch in their order."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/ListBatchDocuments", request, ListBatchDocumentsResponse, timeout, metadata)

    async def get_batch_document(
        self, request: GetBatchDocumentRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetBatchDocumentResponse:
        """Returns one document of a batch. Fails with `NOT_FOUND` (`DOCUMENT_NOT_FOUND`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.BatchService/GetBatchDocument", request, GetBatchDocumentResponse, timeout, metadata)

    def download_batch_document(
        self, request: DownloadBatchDocumentRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[DownloadBatchDocumentResponse, None]:
        """Sends the result of one document in pieces: over REST the file itself.

        Fails with `FAILED_PRECONDITION` (`DOCUMENT_NOT_FINISHED`) while pages are missing, unless `partial` asks for
        what is there.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.BatchService/DownloadBatchDocument", request, DownloadBatchDocumentResponse, timeout, metadata)

    def download_batch(
        self, request: DownloadBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[DownloadBatchResponse, None]:
        """Sends the results of all documents of a batch that were read, as one zip archive in pieces.

        Fails with `FAILED_PRECONDITION` (`BATCH_NOT_FINISHED`) while it is under way, unless `partial` asks for what is
        there.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.BatchService/DownloadBatch", request, DownloadBatchResponse, timeout, metadata)


class CompatibilityServiceStub:
    """Answers clients that were written for other services; only their base URL and key change.

    Bodies are JSON in the form of those services and not described here: docs/compatibility.md says which of their
    fields are honoured, and all others are refused or, where they cannot matter, ignored. Everything else,
    from errors to charges, is as in `OcrService`. Meant for HTTP; a caller with stubs is better served there.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def recognize_document(
        self, request: AsyncIterable[RecognizeDocumentRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RecognizeDocumentResponse:
        """Reads one document as the OCR endpoint of Mistral does: Markdown by page."""
        return await self._caller.stream_unary("/ocr_grpc.v1.CompatibilityService/RecognizeDocument", request, RecognizeDocumentResponse, timeout, metadata)

    def create_chat_completion(
        self, request: AsyncIterable[CreateChatCompletionRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[CreateChatCompletionResponse, None]:
        """Reads the pictures and files in a conversation as the chat endpoint of OpenAI does.

        With `stream` the answer comes in server-sent events while it is read.
        """
        return self._caller.stream_stream("/ocr_grpc.v1.CompatibilityService/CreateChatCompletion", request, CreateChatCompletionResponse, timeout, metadata)

    async def list_models(
        self, request: ListModelsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListModelsResponse:
        """Lists the engines as the models endpoint of OpenAI does."""
        return await self._caller.unary_unary("/ocr_grpc.v1.CompatibilityService/ListModels", request, ListModelsResponse, timeout, metadata)


class KeysServiceStub:
    """Makes and changes the API keys of the user who is calling.

    A key travels as `x-api-key: ocr_…` or as `authorization: Bearer ocr_…`. Its secret is shown once,
    when it is made or rotated. Keys of others are `NOT_FOUND` (`KEY_NOT_FOUND`).
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create_key(
        self, request: CreateKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateKeyResponse:
        """Makes a key and returns its secret, this once.

        A key that is used to call this can only pass on scopes it has: `PERMISSION_DENIED`
        (`INSUFFICIENT_SCOPE`). The new key ends with it and has its limits unless they are given, and
        never later or higher ones: `PERMISSION_DENIED` (`LOOSER_THAN_KEY`). Fails with
        `RESOURCE_EXHAUSTED` (`TOO_MANY_KEYS`) at 100 live keys.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/CreateKey", request, CreateKeyResponse, timeout, metadata)

    async def list_keys(
        self, request: ListKeysRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListKeysResponse:
        """Lists the keys, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/ListKeys", request, ListKeysResponse, timeout, metadata)

    async def get_key(
        self, request: GetKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetKeyResponse:
        """Returns one key."""
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/GetKey", request, GetKeyResponse, timeout, metadata)

    async def update_key(
        self, request: UpdateKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateKeyResponse:
        """Changes `display_name`, `scopes`, `disabled`, `expire_time` or `limits` of a key.

        Holds on every server within a second. A key that is used to call this gives no key, itself
        included, scopes it lacks, nor a later end or higher limits than its own: `PERMISSION_DENIED`
        (`INSUFFICIENT_SCOPE`, `LOOSER_THAN_KEY`). Fails with `FAILED_PRECONDITION` (`KEY_REVOKED`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/UpdateKey", request, UpdateKeyResponse, timeout, metadata)

    async def revoke_key(
        self, request: RevokeKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RevokeKeyResponse:
        """Revokes a key for good: it is refused on every server within a second, and streams it opened
        end within five.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/RevokeKey", request, RevokeKeyResponse, timeout, metadata)

    async def rotate_key(
        self, request: RotateKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RotateKeyResponse:
        """Gives a key a new secret and returns it, this once. The old one works on for the overlap.

        Fails with `PERMISSION_DENIED` (`INSUFFICIENT_SCOPE`, `LOOSER_THAN_KEY`) if the key that is
        used to call this has less, and with `FAILED_PRECONDITION` (`KEY_REVOKED`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/RotateKey", request, RotateKeyResponse, timeout, metadata)

    async def get_key_usage(
        self, request: GetKeyUsageRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetKeyUsageResponse:
        """Sums up what was done with a key."""
        return await self._caller.unary_unary("/ocr_grpc.v1.KeysService/GetKeyUsage", request, GetKeyUsageResponse, timeout, metadata)


class OcrServiceStub:
    """Reads documents: a file goes in, its text comes out.

    Errors are `google.rpc.Status` with a `google.rpc.ErrorInfo` of the domain `ocr_grpc` and a stable
    `reason`. `INVALID_ARGUMENT`: the document or an option is at fault, a repetition is useless.
    `FAILED_PRECONDITION`: the document needs something, such as a password. `RESOURCE_EXHAUSTED`: a
    limit is reached, `RetryInfo` says when to come again, if ever, and `QuotaFailure` which quota is
    spent. `UNAVAILABLE`: try again.

    Pages are reserved against the monthly quota when a document was opened: one with more pages than
    are left is refused with `QUOTA_EXCEEDED` and costs nothing. A page is charged when it ends as
    `PAGE_OUTCOME_OK` or `PAGE_OUTCOME_DEGRADED`; a page whose text was on its way when the caller hung up
    is charged too. Calls tell what is left in the metadata `ratelimit-limit`, `ratelimit-remaining`,
    `ratelimit-reset` (seconds) and `quota-remaining-pages`, first and last.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def extract(
        self, request: ExtractRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ExtractResponse:
        """Reads one document and returns all of it at once.

        Takes documents up to `max_inline_bytes` (see `GetCapabilities`). Use `StreamExtract` to see
        text while it is being read. A page that cannot be read ends as `PAGE_OUTCOME_FAILED`; the call
        fails only if every page does, or with `ANSWER_TOO_LARGE` if there is more than `max_inline_bytes` to
        answer.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OcrService/Extract", request, ExtractResponse, timeout, metadata)

    def stream_extract(
        self, request: StreamExtractRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[StreamExtractResponse, None]:
        """Reads one document and sends its text while it is being read.

        Takes documents up to `max_inline_bytes`. The stream ends with `finished` or `failed`, and a
        document that is refused has `failed` alone; a failed call has the same status. Cancelling
        the call stops the work within a second.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.OcrService/StreamExtract", request, StreamExtractResponse, timeout, metadata)

    def upload_extract(
        self, request: AsyncIterable[UploadExtractRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[UploadExtractResponse, None]:
        """Takes one document in pieces, up to `max_document_bytes`, and sends its text while it is read.

        Over REST the body is the file, or a form (`multipart/form-data`) with it in the field `file` and
        options in fields of their names, such as `prompt`.

        The options and the file name go in the first message, bytes in any. Fails with
        `INVALID_ARGUMENT`: `OPTIONS_TOO_LATE` if they come later, `EMPTY_DOCUMENT` if no byte comes,
        `UPLOAD_TRUNCATED` if fewer or more bytes come than announced. Events begin once the upload is
        complete. Pieces of 64 KiB to 1 MiB are best.
        """
        return self._caller.stream_stream("/ocr_grpc.v1.OcrService/UploadExtract", request, UploadExtractResponse, timeout, metadata)

    async def inspect(
        self, request: InspectRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> InspectResponse:
        """Says what a document is and what reading it would cost, without reading it. Costs no pages.

        Takes documents up to `max_inline_bytes`. Refuses what an extraction with these options would refuse.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OcrService/Inspect", request, InspectResponse, timeout, metadata)

    def resume_extract(
        self, request: ResumeExtractRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[ResumeExtractResponse, None]:
        """Sends the events of a resumable extraction after those that are known, and reads what is left, at any server.

        Pages that ended are not read again; one that was under way begins anew, with a `retract` to offset 0 before
        its next text. Whoever still receives the events elsewhere is cut off with `ABORTED` (`EXTRACTION_RESUMED`). Fails with
        `NOT_FOUND` (`EXTRACTION_NOT_FOUND`) for those of others, without `resumable`, or too old; and with `INVALID_ARGUMENT`
        (`SEQUENCE_OUT_OF_RANGE`) for a number that was never sent.

        Counts among the extractions its caller may have at a time, also where all was read and is only sent again. A page of
        which text was sent to whoever is cut off is charged, once.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.OcrService/ResumeExtract", request, ResumeExtractResponse, timeout, metadata)

    async def get_capabilities(
        self, request: GetCapabilitiesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetCapabilitiesResponse:
        """Returns what this server can do: engines, languages, formats and limits."""
        return await self._caller.unary_unary("/ocr_grpc.v1.OcrService/GetCapabilities", request, GetCapabilitiesResponse, timeout, metadata)


class OrganizationsServiceStub:
    """Manages organizations: users who share a quota. Administrators make them and set their quota,
    owners invite and remove members.

    Organizations that one does not belong to are `NOT_FOUND` (`ORGANIZATION_NOT_FOUND`), except for
    administrators. What only owners may do is refused with `PERMISSION_DENIED` (`OWNER_REQUIRED`).
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create_organization(
        self, request: CreateOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateOrganizationResponse:
        """Makes an organization with one owner.

        Fails with `NOT_FOUND` (`USER_NOT_FOUND`) and with `FAILED_PRECONDITION`
        (`ALREADY_IN_ORGANIZATION`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/CreateOrganization", request, CreateOrganizationResponse, timeout, metadata)

    async def list_organizations(
        self, request: ListOrganizationsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListOrganizationsResponse:
        """Lists all organizations, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/ListOrganizations", request, ListOrganizationsResponse, timeout, metadata)

    async def get_organization(
        self, request: GetOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetOrganizationResponse:
        """Returns an organization, to its members."""
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/GetOrganization", request, GetOrganizationResponse, timeout, metadata)

    async def update_organization(
        self, request: UpdateOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateOrganizationResponse:
        """Changes `display_name` (owners) or `pages_per_month` (administrators).

        Fails with `PERMISSION_DENIED` (`ROLE_REQUIRED`) if an owner changes the quota.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/UpdateOrganization", request, UpdateOrganizationResponse, timeout, metadata)

    async def delete_organization(
        self, request: DeleteOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteOrganizationResponse:
        """Deletes an organization. Its members remain users, with quotas of their own."""
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/DeleteOrganization", request, DeleteOrganizationResponse, timeout, metadata)

    async def list_members(
        self, request: ListMembersRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListMembersResponse:
        """Lists the members, in the order of their user names, to members."""
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/ListMembers", request, ListMembersResponse, timeout, metadata)

    async def update_member(
        self, request: UpdateMemberRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateMemberResponse:
        """Changes what a member may do. The last owner stays one: `FAILED_PRECONDITION` (`LAST_OWNER`)."""
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/UpdateMember", request, UpdateMemberResponse, timeout, metadata)

    async def remove_member(
        self, request: RemoveMemberRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RemoveMemberResponse:
        """Removes a member; members may remove themselves. Not the last owner: `FAILED_PRECONDITION`
        (`LAST_OWNER`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/RemoveMember", request, RemoveMemberResponse, timeout, metadata)

    async def invite_member(
        self, request: InviteMemberRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> InviteMemberResponse:
        """Makes an invitation into the organization and returns its code, this once. For owners.

        Where the server sends mail, one for an address is sent to it. Fails with
        `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) and `RetryInfo` after a few mails in a minute.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/InviteMember", request, InviteMemberResponse, timeout, metadata)

    async def accept_invite(
        self, request: AcceptInviteRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AcceptInviteResponse:
        """Joins the organization of an invitation.

        People without an account give the code to `Register` instead. Fails with `PERMISSION_DENIED`
        (`INVITE_INVALID`) and with `FAILED_PRECONDITION` (`ALREADY_IN_ORGANIZATION`).
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/AcceptInvite", request, AcceptInviteResponse, timeout, metadata)


class UsageServiceStub:
    """Tells what was used and what is left.

    An owner of an organization sees all members' usage with `organization`; others get
    `PERMISSION_DENIED` (`OWNER_REQUIRED`).
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list_usage(
        self, request: ListUsageRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListUsageResponse:
        """Lists calls, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.UsageService/ListUsage", request, ListUsageResponse, timeout, metadata)

    async def get_usage_summary(
        self, request: GetUsageSummaryRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetUsageSummaryResponse:
        """Sums up calls, and says what is left of the quota."""
        return await self._caller.unary_unary("/ocr_grpc.v1.UsageService/GetUsageSummary", request, GetUsageSummaryResponse, timeout, metadata)


class WebhooksServiceStub:
    """Makes and changes the webhooks of the user who is calling.

    Messages are signed as standardwebhooks.com describes: the headers `webhook-id`, `webhook-timestamp` (seconds since
    1970) and `webhook-signature` (`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; several, apart by
    spaces, while a secret is being rotated). A message that is not answered with a status of 200 to 299 within 15
    seconds is sent again for a day, at growing intervals. Redirects are not followed, and addresses that are not
    public are refused unless the server allows them. Webhooks of others are `NOT_FOUND` (`WEBHOOK_NOT_FOUND`).
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create_webhook(
        self, request: CreateWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateWebhookResponse:
        """Makes a webhook and returns its secret, this once.

        The address is tried first: it gets a message `webhook.verification` with a `challenge`, and must answer with a
        status of 200 to 299 and a body that contains the challenge; otherwise `FAILED_PRECONDITION`
        (`WEBHOOK_NOT_VERIFIED`). Fails with `INVALID_ARGUMENT` (`INVALID_URL`, `URL_NOT_ALLOWED`),
        and with `RESOURCE_EXHAUSTED` (`TOO_MANY_WEBHOOKS`) at 20 of them, or
        (`TOO_MANY_VERIFICATIONS`, with `RetryInfo`) while another address of the caller is being tried, eight of all
        callers are, or after twenty in ten minutes.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/CreateWebhook", request, CreateWebhookResponse, timeout, metadata)

    async def list_webhooks(
        self, request: ListWebhooksRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListWebhooksResponse:
        """Lists the webhooks, the newest first."""
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/ListWebhooks", request, ListWebhooksResponse, timeout, metadata)

    async def get_webhook(
        self, request: GetWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetWebhookResponse:
        """Returns one webhook."""
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/GetWebhook", request, GetWebhookResponse, timeout, metadata)

    async def update_webhook(
        self, request: UpdateWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateWebhookResponse:
        """Changes `url`, `events`, `display_name` or `disabled` of a webhook. A new address is tried as in `CreateWebhook`."""
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/UpdateWebhook", request, UpdateWebhookResponse, timeout, metadata)

    async def delete_webhook(
        self, request: DeleteWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteWebhookResponse:
        """Deletes a webhook with its deliveries."""
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/DeleteWebhook", request, DeleteWebhookResponse, timeout, metadata)

    async def rotate_webhook_secret(
        self, request: RotateWebhookSecretRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RotateWebhookSecretResponse:
        """Gives a webhook a new secret and returns it, this once. For the overlap messages are signed with both."""
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/RotateWebhookSecret", request, RotateWebhookSecretResponse, timeout, metadata)

    async def list_webhook_deliveries(
        self, request: ListWebhookDeliveriesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListWebhookDeliveriesResponse:
        """Lists the messages to a webhook, the newest first: those that were delivered for 7 days, others for 30."""
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/ListWebhookDeliveries", request, ListWebhookDeliveriesResponse, timeout, metadata)

    async def resend_webhook_delivery(
        self, request: ResendWebhookDeliveryRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ResendWebhookDeliveryResponse:
        """Sends a message again, now; past its day it is tried once. Fails with `NOT_FOUND` (`DELIVERY_NOT_FOUND`), and with
        `FAILED_PRECONDITION` (`WEBHOOK_DISABLED`) while the webhook is switched off.
        """
        return await self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/ResendWebhookDelivery", request, ResendWebhookDeliveryResponse, timeout, metadata)


class HealthStub:
    """Says whether a server, or one service of it, can be called."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def check(
        self, request: HealthCheckRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> HealthCheckResponse:
        """Returns the status of a service; the empty name stands for the server. Fails with `NOT_FOUND` for
        a service that is not known.
        """
        return await self._caller.unary_unary("/grpc.health.v1.Health/Check", request, HealthCheckResponse, timeout, metadata)

    def watch(
        self, request: HealthCheckRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AsyncGenerator[HealthCheckResponse, None]:
        """Sends the status of a service now and whenever it changes."""
        return self._caller.unary_stream("/grpc.health.v1.Health/Watch", request, HealthCheckResponse, timeout, metadata)


class SyncCaller(Protocol):
    """Makes calls, by their kind."""

    def unary_unary(
        self, path: str, request: Message, response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> Response: ...

    def unary_stream(
        self, path: str, request: Message, response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> Generator[Response, None, None]: ...

    def stream_unary(
        self, path: str, request: Iterable[Message], response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> Response: ...

    def stream_stream(
        self, path: str, request: Iterable[Message], response: type[Response],
        timeout: float | None, metadata: Metadata, /,
    ) -> Generator[Response, None, None]: ...


class AdminServiceSyncStub:
    """Administers users, keys, invitations, usage and the state of the service."""

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def list_users(
        self, request: ListUsersRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListUsersResponse:
        """Lists users, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListUsers", request, ListUsersResponse, timeout, metadata)

    def create_user(
        self, request: CreateUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateUserResponse:
        """Makes a user. Fails as `Register` does, whatever the setting for registration is."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/CreateUser", request, CreateUserResponse, timeout, metadata)

    def get_user(
        self, request: GetUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetUserResponse:
        """Returns one user. Fails with `NOT_FOUND` (`USER_NOT_FOUND`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetUser", request, GetUserResponse, timeout, metadata)

    def update_user(
        self, request: UpdateUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateUserResponse:
        """Changes `user_name`, `email`, `email_verified`, `display_name`, `role`, `disabled` or `limits`
        of a user, or sets a password, which ends the user's sessions.

        Holds on every server within a second. The last administrator who can act stays one, that is,
        who is not disabled and has a password or a live key with `SCOPE_ADMIN`:
        `FAILED_PRECONDITION` (`LAST_ADMIN`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/UpdateUser", request, UpdateUserResponse, timeout, metadata)

    def delete_user(
        self, request: DeleteUserRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteUserResponse:
        """Deletes a user: name and address are forgotten, tokens and keys stop working, usage remains.

        Fails with `FAILED_PRECONDITION`: `LAST_ADMIN`, or `LAST_OWNER` of an organization.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/DeleteUser", request, DeleteUserResponse, timeout, metadata)

    def list_keys(
        self, request: AdminServiceListKeysRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceListKeysResponse:
        """Lists the API keys of all users, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListKeys", request, AdminServiceListKeysResponse, timeout, metadata)

    def revoke_key(
        self, request: AdminServiceRevokeKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceRevokeKeyResponse:
        """Revokes anybody's key. Fails with `NOT_FOUND` (`KEY_NOT_FOUND`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/RevokeKey", request, AdminServiceRevokeKeyResponse, timeout, metadata)

    def create_invite(
        self, request: CreateInviteRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateInviteResponse:
        """Makes an invitation and returns its code, this once.

        Where the server sends mail, one for an address is sent to it. Fails with
        `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) and `RetryInfo` after a few mails in a minute.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/CreateInvite", request, CreateInviteResponse, timeout, metadata)

    def list_invites(
        self, request: ListInvitesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListInvitesResponse:
        """Lists invitations, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListInvites", request, ListInvitesResponse, timeout, metadata)

    def delete_invite(
        self, request: DeleteInviteRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteInviteResponse:
        """Deletes an invitation: it cannot be used any more. Fails with `NOT_FOUND`
        (`INVITE_NOT_FOUND`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/DeleteInvite", request, DeleteInviteResponse, timeout, metadata)

    def get_stats(
        self, request: GetStatsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetStatsResponse:
        """Returns figures about the installation."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetStats", request, GetStatsResponse, timeout, metadata)

    def list_usage(
        self, request: AdminServiceListUsageRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceListUsageResponse:
        """Lists the calls of anyone, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListUsage", request, AdminServiceListUsageResponse, timeout, metadata)

    def get_usage_summary(
        self, request: AdminServiceGetUsageSummaryRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AdminServiceGetUsageSummaryResponse:
        """Sums up the calls of anyone."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetUsageSummary", request, AdminServiceGetUsageSummaryResponse, timeout, metadata)

    def list_dead_letters(
        self, request: ListDeadLettersRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListDeadLettersResponse:
        """Lists parts of batches that were given up because every attempt ended badly, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListDeadLetters", request, ListDeadLettersResponse, timeout, metadata)

    def resend_dead_letter(
        self, request: ResendDeadLetterRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ResendDeadLetterResponse:
        """Has such a part read again; its batch goes on, and ends anew. Fails with `NOT_FOUND` (`DEAD_LETTER_NOT_FOUND`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ResendDeadLetter", request, ResendDeadLetterResponse, timeout, metadata)

    def list_audit_events(
        self, request: ListAuditEventsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListAuditEventsResponse:
        """Lists what administrators did and which credentials changed, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/ListAuditEvents", request, ListAuditEventsResponse, timeout, metadata)

    def get_system_health(
        self, request: GetSystemHealthRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetSystemHealthResponse:
        """Returns how the parts of this server are."""
        return self._caller.unary_unary("/ocr_grpc.v1.AdminService/GetSystemHealth", request, GetSystemHealthResponse, timeout, metadata)


class AuthServiceSyncStub:
    """Signs people up and in.

    An access token lives for minutes and travels as `authorization: Bearer …`. A refresh token gets
    the next pair and works once: whoever presents it a second time ends the whole session, because
    one of the two is a thief.
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def register(
        self, request: RegisterRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RegisterResponse:
        """Makes an account.

        Fails with `PERMISSION_DENIED` (`REGISTRATION_CLOSED`, `INVITE_REQUIRED`, `INVITE_INVALID`)
        as the server's settings have it, with `ALREADY_EXISTS` (`USER_NAME_TAKEN`, `EMAIL_TAKEN`), and
        with `INVALID_ARGUMENT` (`INVALID_USER_NAME`, `INVALID_EMAIL`, `PASSWORD_TOO_SHORT`). Counts
        with the logins of the network address: `RESOURCE_EXHAUSTED` (`LOGIN_THROTTLED`) and
        `RetryInfo` after too many.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/Register", request, RegisterResponse, timeout, metadata)

    def login(
        self, request: LoginRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> LoginResponse:
        """Signs in.

        Fails with `UNAUTHENTICATED` (`LOGIN_FAILED`) whatever is wrong, in the same time, or
        (`USER_DISABLED`) if the password is right and the user locked out, and with
        `RESOURCE_EXHAUSTED` (`LOGIN_THROTTLED`) and `RetryInfo` after too many failures.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/Login", request, LoginResponse, timeout, metadata)

    def issue_token(
        self, request: IssueTokenRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> IssueTokenResponse:
        """Signs in by the password grant of OAuth 2 (RFC 6749, 4.3), as a form.

        The body is `application/x-www-form-urlencoded` with `username`, `password` and, if at all,
        `grant_type=password`; `grant_type=refresh_token` with `refresh_token` works too. Fails as
        `Login` and `RefreshToken` do.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/IssueToken", request, IssueTokenResponse, timeout, metadata)

    def refresh_token(
        self, request: RefreshTokenRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RefreshTokenResponse:
        """Returns the next pair of tokens; the refresh token that was given is spent.

        Fails with `UNAUTHENTICATED`: `REFRESH_TOKEN_INVALID`, `REFRESH_TOKEN_EXPIRED`,
        `USER_DISABLED`, or `REFRESH_TOKEN_REUSED`, which ends the session.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/RefreshToken", request, RefreshTokenResponse, timeout, metadata)

    def logout(
        self, request: LogoutRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> LogoutResponse:
        """Ends this session, or all sessions of the user: their tokens stop working within a second."""
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/Logout", request, LogoutResponse, timeout, metadata)

    def get_me(
        self, request: GetMeRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetMeResponse:
        """Returns the user who is calling."""
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/GetMe", request, GetMeResponse, timeout, metadata)

    def update_me(
        self, request: UpdateMeRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateMeResponse:
        """Changes `display_name` or `email` of the user who is calling.

        A new address is not verified; the old one, if it was, is told by mail where the server sends
        any. Fails with `INVALID_ARGUMENT` (`FIELD_NOT_UPDATABLE`) on any other field, and with
        `ALREADY_EXISTS` (`EMAIL_TAKEN`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/UpdateMe", request, UpdateMeResponse, timeout, metadata)

    def change_password(
        self, request: ChangePasswordRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ChangePasswordResponse:
        """Sets a new password and ends all other sessions. API keys go on working.

        Fails with `UNAUTHENTICATED` (`LOGIN_FAILED`) if the old password is wrong; wrong ones are
        throttled as in `Login`.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/ChangePassword", request, ChangePasswordResponse, timeout, metadata)

    def request_email_verification(
        self, request: RequestEmailVerificationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RequestEmailVerificationResponse:
        """Sends a mail with a token that confirms the user's address.

        Fails with `FAILED_PRECONDITION` (`MAIL_NOT_CONFIGURED` or `EMAIL_MISSING`), and with
        `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) after a few mails in a minute.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/RequestEmailVerification", request, RequestEmailVerificationResponse, timeout, metadata)

    def verify_email(
        self, request: VerifyEmailRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> VerifyEmailResponse:
        """Confirms an address with the token of the mail.

        Fails with `INVALID_ARGUMENT` (`MAIL_TOKEN_INVALID`) if it is unknown, used, or too old.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/VerifyEmail", request, VerifyEmailResponse, timeout, metadata)

    def request_password_reset(
        self, request: RequestPasswordResetRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RequestPasswordResetResponse:
        """Sends a mail with a token for a new password, if the address is some user's verified one.

        Answers the same whether it is. Fails with `FAILED_PRECONDITION` (`MAIL_NOT_CONFIGURED`), and
        with `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) after a few mails in a minute.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/RequestPasswordReset", request, RequestPasswordResetResponse, timeout, metadata)

    def reset_password(
        self, request: ResetPasswordRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ResetPasswordResponse:
        """Sets a new password with the token of the mail and ends all sessions.

        Fails with `INVALID_ARGUMENT`: `MAIL_TOKEN_INVALID` or `PASSWORD_TOO_SHORT`, and with
        `FAILED_PRECONDITION` (`MAIL_NOT_CONFIGURED`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.AuthService/ResetPassword", request, ResetPasswordResponse, timeout, metadata)


class BatchServiceSyncStub:
    """Reads many documents in the background: a batch survives the end of any process and goes on at the page.

    A batch belongs to whoever made it; batches, documents and uploads of others are `NOT_FOUND`. Pages are charged as
    those of `OcrService`, each once, whatever dies or is repeated on the way: when a document is opened its pages are
    reserved, and if fewer are left it ends as `DOCUMENT_STATE_FAILED` with `QUOTA_EXCEEDED`.
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def create_batch(
        self, request: CreateBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateBatchResponse:
        """Makes a batch of up to 1,000 documents and returns at once.

        Refuses with `INVALID_ARGUMENT` what can be seen to be wrong without opening the documents, naming the field, such
        as `documents[3].url`. Fails with `NOT_FOUND` (`UPLOAD_NOT_FOUND`), `PERMISSION_DENIED` (`PRIORITY_NOT_ALLOWED`),
        and with `RESOURCE_EXHAUSTED`: `TOO_MANY_BATCHES` while too many documents of the caller wait, `UPLOADS_FULL` while
        too many bytes of theirs are kept.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/CreateBatch", request, CreateBatchResponse, timeout, metadata)

    def list_batches(
        self, request: ListBatchesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListBatchesResponse:
        """Lists the caller's batches, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/ListBatches", request, ListBatchesResponse, timeout, metadata)

    def upload_document(
        self, request: Iterable[UploadDocumentRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UploadDocumentResponse:
        """Takes one document in pieces, up to `max_document_bytes`, for batches to come. Over REST the body is the file.

        The file name and the size go in the first message, bytes in any. It is kept for a week, and longer while a
        batch uses it; it goes with the last batch that used it. Fails as `UploadExtract` does, counts among the caller's
        streams (`TOO_MANY_STREAMS`), and fails with `RESOURCE_EXHAUSTED` (`UPLOADS_FULL`) while too many bytes of the
        caller wait for a batch, or are kept at all.
        """
        return self._caller.stream_unary("/ocr_grpc.v1.BatchService/UploadDocument", request, UploadDocumentResponse, timeout, metadata)

    def delete_upload(
        self, request: DeleteUploadRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteUploadResponse:
        """Deletes an uploaded document. Batches that use it keep it. Fails with `NOT_FOUND` (`UPLOAD_NOT_FOUND`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/DeleteUpload", request, DeleteUploadResponse, timeout, metadata)

    def get_batch(
        self, request: GetBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetBatchResponse:
        """Returns one batch. Fails with `NOT_FOUND` (`BATCH_NOT_FOUND`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/GetBatch", request, GetBatchResponse, timeout, metadata)

    def delete_batch(
        self, request: DeleteBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteBatchResponse:
        """Deletes a batch with its results and the files that no other batch uses; one under way is cancelled first."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/DeleteBatch", request, DeleteBatchResponse, timeout, metadata)

    def watch_batch(
        self, request: WatchBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[WatchBatchResponse, None, None]:
        """Sends the events of a batch, numbered from 1 without gaps: those that happened, then those to come as they happen.

        Ends with `finished`, or at once if `after_sequence` is that of `finished`. After a broken connection go on with
        `after_sequence`, at any server. Fails with `ABORTED` (`BATCH_DELETED`) if the batch is deleted meanwhile, and with
        `RESOURCE_EXHAUSTED` (`TOO_MANY_STREAMS`) above 50 of a caller at one server.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.BatchService/WatchBatch", request, WatchBatchResponse, timeout, metadata)

    def cancel_batch(
        self, request: CancelBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CancelBatchResponse:
        """Ends a batch: pages being read stop within a second, what was read stays. Changes nothing in one that has ended."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/CancelBatch", request, CancelBatchResponse, timeout, metadata)

    def list_batch_documents(
        self, request: ListBatchDocumentsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListBatchDocumentsResponse:
        """Lists the documents of a batch in their order."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/ListBatchDocuments", request, ListBatchDocumentsResponse, timeout, metadata)

    def get_batch_document(
        self, request: GetBatchDocumentRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetBatchDocumentResponse:
        """Returns one document of a batch. Fails with `NOT_FOUND` (`DOCUMENT_NOT_FOUND`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.BatchService/GetBatchDocument", request, GetBatchDocumentResponse, timeout, metadata)

    def download_batch_document(
        self, request: DownloadBatchDocumentRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[DownloadBatchDocumentResponse, None, None]:
        """Sends the result of one document in pieces: over REST the file itself.

        Fails with `FAILED_PRECONDITION` (`DOCUMENT_NOT_FINISHED`) while pages are missing, unless `partial` asks for
        what is there.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.BatchService/DownloadBatchDocument", request, DownloadBatchDocumentResponse, timeout, metadata)

    def download_batch(
        self, request: DownloadBatchRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[DownloadBatchResponse, None, None]:
        """Sends the results of all documents of a batch that were read, as one zip archive in pieces.

        Fails with `FAILED_PRECONDITION` (`BATCH_NOT_FINISHED`) while it is under way, unless `partial` asks for what is
        there.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.BatchService/DownloadBatch", request, DownloadBatchResponse, timeout, metadata)


class CompatibilityServiceSyncStub:
    """Answers clients that were written for other services; only their base URL and key change.

    Bodies are JSON in the form of those services and not described here: docs/compatibility.md says which of their
    fields are honoured, and all others are refused or, where they cannot matter, ignored. Everything else,
    from errors to charges, is as in `OcrService`. Meant for HTTP; a caller with stubs is better served there.
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def recognize_document(
        self, request: Iterable[RecognizeDocumentRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RecognizeDocumentResponse:
        """Reads one document as the OCR endpoint of Mistral does: Markdown by page."""
        return self._caller.stream_unary("/ocr_grpc.v1.CompatibilityService/RecognizeDocument", request, RecognizeDocumentResponse, timeout, metadata)

    def create_chat_completion(
        self, request: Iterable[CreateChatCompletionRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[CreateChatCompletionResponse, None, None]:
        """Reads the pictures and files in a conversation as the chat endpoint of OpenAI does.

        With `stream` the answer comes in server-sent events while it is read.
        """
        return self._caller.stream_stream("/ocr_grpc.v1.CompatibilityService/CreateChatCompletion", request, CreateChatCompletionResponse, timeout, metadata)

    def list_models(
        self, request: ListModelsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListModelsResponse:
        """Lists the engines as the models endpoint of OpenAI does."""
        return self._caller.unary_unary("/ocr_grpc.v1.CompatibilityService/ListModels", request, ListModelsResponse, timeout, metadata)


class KeysServiceSyncStub:
    """Makes and changes the API keys of the user who is calling.

    A key travels as `x-api-key: ocr_…` or as `authorization: Bearer ocr_…`. Its secret is shown once,
    when it is made or rotated. Keys of others are `NOT_FOUND` (`KEY_NOT_FOUND`).
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def create_key(
        self, request: CreateKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateKeyResponse:
        """Makes a key and returns its secret, this once.

        A key that is used to call this can only pass on scopes it has: `PERMISSION_DENIED`
        (`INSUFFICIENT_SCOPE`). The new key ends with it and has its limits unless they are given, and
        never later or higher ones: `PERMISSION_DENIED` (`LOOSER_THAN_KEY`). Fails with
        `RESOURCE_EXHAUSTED` (`TOO_MANY_KEYS`) at 100 live keys.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/CreateKey", request, CreateKeyResponse, timeout, metadata)

    def list_keys(
        self, request: ListKeysRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListKeysResponse:
        """Lists the keys, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/ListKeys", request, ListKeysResponse, timeout, metadata)

    def get_key(
        self, request: GetKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetKeyResponse:
        """Returns one key."""
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/GetKey", request, GetKeyResponse, timeout, metadata)

    def update_key(
        self, request: UpdateKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateKeyResponse:
        """Changes `display_name`, `scopes`, `disabled`, `expire_time` or `limits` of a key.

        Holds on every server within a second. A key that is used to call this gives no key, itself
        included, scopes it lacks, nor a later end or higher limits than its own: `PERMISSION_DENIED`
        (`INSUFFICIENT_SCOPE`, `LOOSER_THAN_KEY`). Fails with `FAILED_PRECONDITION` (`KEY_REVOKED`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/UpdateKey", request, UpdateKeyResponse, timeout, metadata)

    def revoke_key(
        self, request: RevokeKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RevokeKeyResponse:
        """Revokes a key for good: it is refused on every server within a second, and streams it opened
        end within five.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/RevokeKey", request, RevokeKeyResponse, timeout, metadata)

    def rotate_key(
        self, request: RotateKeyRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RotateKeyResponse:
        """Gives a key a new secret and returns it, this once. The old one works on for the overlap.

        Fails with `PERMISSION_DENIED` (`INSUFFICIENT_SCOPE`, `LOOSER_THAN_KEY`) if the key that is
        used to call this has less, and with `FAILED_PRECONDITION` (`KEY_REVOKED`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/RotateKey", request, RotateKeyResponse, timeout, metadata)

    def get_key_usage(
        self, request: GetKeyUsageRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetKeyUsageResponse:
        """Sums up what was done with a key."""
        return self._caller.unary_unary("/ocr_grpc.v1.KeysService/GetKeyUsage", request, GetKeyUsageResponse, timeout, metadata)


class OcrServiceSyncStub:
    """Reads documents: a file goes in, its text comes out.

    Errors are `google.rpc.Status` with a `google.rpc.ErrorInfo` of the domain `ocr_grpc` and a stable
    `reason`. `INVALID_ARGUMENT`: the document or an option is at fault, a repetition is useless.
    `FAILED_PRECONDITION`: the document needs something, such as a password. `RESOURCE_EXHAUSTED`: a
    limit is reached, `RetryInfo` says when to come again, if ever, and `QuotaFailure` which quota is
    spent. `UNAVAILABLE`: try again.

    Pages are reserved against the monthly quota when a document was opened: one with more pages than
    are left is refused with `QUOTA_EXCEEDED` and costs nothing. A page is charged when it ends as
    `PAGE_OUTCOME_OK` or `PAGE_OUTCOME_DEGRADED`; a page whose text was on its way when the caller hung up
    is charged too. Calls tell what is left in the metadata `ratelimit-limit`, `ratelimit-remaining`,
    `ratelimit-reset` (seconds) and `quota-remaining-pages`, first and last.
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def extract(
        self, request: ExtractRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ExtractResponse:
        """Reads one document and returns all of it at once.

        Takes documents up to `max_inline_bytes` (see `GetCapabilities`). Use `StreamExtract` to see
        text while it is being read. A page that cannot be read ends as `PAGE_OUTCOME_FAILED`; the call
        fails only if every page does, or with `ANSWER_TOO_LARGE` if there is more than `max_inline_bytes` to
        answer.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OcrService/Extract", request, ExtractResponse, timeout, metadata)

    def stream_extract(
        self, request: StreamExtractRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[StreamExtractResponse, None, None]:
        """Reads one document and sends its text while it is being read.

        Takes documents up to `max_inline_bytes`. The stream ends with `finished` or `failed`, and a
        document that is refused has `failed` alone; a failed call has the same status. Cancelling
        the call stops the work within a second.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.OcrService/StreamExtract", request, StreamExtractResponse, timeout, metadata)

    def upload_extract(
        self, request: Iterable[UploadExtractRequest], *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[UploadExtractResponse, None, None]:
        """Takes one document in pieces, up to `max_document_bytes`, and sends its text while it is read.

        Over REST the body is the file, or a form (`multipart/form-data`) with it in the field `file` and
        options in fields of their names, such as `prompt`.

        The options and the file name go in the first message, bytes in any. Fails with
        `INVALID_ARGUMENT`: `OPTIONS_TOO_LATE` if they come later, `EMPTY_DOCUMENT` if no byte comes,
        `UPLOAD_TRUNCATED` if fewer or more bytes come than announced. Events begin once the upload is
        complete. Pieces of 64 KiB to 1 MiB are best.
        """
        return self._caller.stream_stream("/ocr_grpc.v1.OcrService/UploadExtract", request, UploadExtractResponse, timeout, metadata)

    def inspect(
        self, request: InspectRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> InspectResponse:
        """Says what a document is and what reading it would cost, without reading it. Costs no pages.

        Takes documents up to `max_inline_bytes`. Refuses what an extraction with these options would refuse.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OcrService/Inspect", request, InspectResponse, timeout, metadata)

    def resume_extract(
        self, request: ResumeExtractRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[ResumeExtractResponse, None, None]:
        """Sends the events of a resumable extraction after those that are known, and reads what is left, at any server.

        Pages that ended are not read again; one that was under way begins anew, with a `retract` to offset 0 before
        its next text. Whoever still receives the events elsewhere is cut off with `ABORTED` (`EXTRACTION_RESUMED`). Fails with
        `NOT_FOUND` (`EXTRACTION_NOT_FOUND`) for those of others, without `resumable`, or too old; and with `INVALID_ARGUMENT`
        (`SEQUENCE_OUT_OF_RANGE`) for a number that was never sent.

        Counts among the extractions its caller may have at a time, also where all was read and is only sent again. A page of
        which text was sent to whoever is cut off is charged, once.
        """
        return self._caller.unary_stream("/ocr_grpc.v1.OcrService/ResumeExtract", request, ResumeExtractResponse, timeout, metadata)

    def get_capabilities(
        self, request: GetCapabilitiesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetCapabilitiesResponse:
        """Returns what this server can do: engines, languages, formats and limits."""
        return self._caller.unary_unary("/ocr_grpc.v1.OcrService/GetCapabilities", request, GetCapabilitiesResponse, timeout, metadata)


class OrganizationsServiceSyncStub:
    """Manages organizations: users who share a quota. Administrators make them and set their quota,
    owners invite and remove members.

    Organizations that one does not belong to are `NOT_FOUND` (`ORGANIZATION_NOT_FOUND`), except for
    administrators. What only owners may do is refused with `PERMISSION_DENIED` (`OWNER_REQUIRED`).
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def create_organization(
        self, request: CreateOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateOrganizationResponse:
        """Makes an organization with one owner.

        Fails with `NOT_FOUND` (`USER_NOT_FOUND`) and with `FAILED_PRECONDITION`
        (`ALREADY_IN_ORGANIZATION`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/CreateOrganization", request, CreateOrganizationResponse, timeout, metadata)

    def list_organizations(
        self, request: ListOrganizationsRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListOrganizationsResponse:
        """Lists all organizations, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/ListOrganizations", request, ListOrganizationsResponse, timeout, metadata)

    def get_organization(
        self, request: GetOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetOrganizationResponse:
        """Returns an organization, to its members."""
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/GetOrganization", request, GetOrganizationResponse, timeout, metadata)

    def update_organization(
        self, request: UpdateOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateOrganizationResponse:
        """Changes `display_name` (owners) or `pages_per_month` (administrators).

        Fails with `PERMISSION_DENIED` (`ROLE_REQUIRED`) if an owner changes the quota.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/UpdateOrganization", request, UpdateOrganizationResponse, timeout, metadata)

    def delete_organization(
        self, request: DeleteOrganizationRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteOrganizationResponse:
        """Deletes an organization. Its members remain users, with quotas of their own."""
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/DeleteOrganization", request, DeleteOrganizationResponse, timeout, metadata)

    def list_members(
        self, request: ListMembersRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListMembersResponse:
        """Lists the members, in the order of their user names, to members."""
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/ListMembers", request, ListMembersResponse, timeout, metadata)

    def update_member(
        self, request: UpdateMemberRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateMemberResponse:
        """Changes what a member may do. The last owner stays one: `FAILED_PRECONDITION` (`LAST_OWNER`)."""
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/UpdateMember", request, UpdateMemberResponse, timeout, metadata)

    def remove_member(
        self, request: RemoveMemberRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RemoveMemberResponse:
        """Removes a member; members may remove themselves. Not the last owner: `FAILED_PRECONDITION`
        (`LAST_OWNER`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/RemoveMember", request, RemoveMemberResponse, timeout, metadata)

    def invite_member(
        self, request: InviteMemberRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> InviteMemberResponse:
        """Makes an invitation into the organization and returns its code, this once. For owners.

        Where the server sends mail, one for an address is sent to it. Fails with
        `RESOURCE_EXHAUSTED` (`MAIL_THROTTLED`) and `RetryInfo` after a few mails in a minute.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/InviteMember", request, InviteMemberResponse, timeout, metadata)

    def accept_invite(
        self, request: AcceptInviteRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> AcceptInviteResponse:
        """Joins the organization of an invitation.

        People without an account give the code to `Register` instead. Fails with `PERMISSION_DENIED`
        (`INVITE_INVALID`) and with `FAILED_PRECONDITION` (`ALREADY_IN_ORGANIZATION`).
        """
        return self._caller.unary_unary("/ocr_grpc.v1.OrganizationsService/AcceptInvite", request, AcceptInviteResponse, timeout, metadata)


class UsageServiceSyncStub:
    """Tells what was used and what is left.

    An owner of an organization sees all members' usage with `organization`; others get
    `PERMISSION_DENIED` (`OWNER_REQUIRED`).
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def list_usage(
        self, request: ListUsageRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListUsageResponse:
        """Lists calls, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.UsageService/ListUsage", request, ListUsageResponse, timeout, metadata)

    def get_usage_summary(
        self, request: GetUsageSummaryRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetUsageSummaryResponse:
        """Sums up calls, and says what is left of the quota."""
        return self._caller.unary_unary("/ocr_grpc.v1.UsageService/GetUsageSummary", request, GetUsageSummaryResponse, timeout, metadata)


class WebhooksServiceSyncStub:
    """Makes and changes the webhooks of the user who is calling.

    Messages are signed as standardwebhooks.com describes: the headers `webhook-id`, `webhook-timestamp` (seconds since
    1970) and `webhook-signature` (`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; several, apart by
    spaces, while a secret is being rotated). A message that is not answered with a status of 200 to 299 within 15
    seconds is sent again for a day, at growing intervals. Redirects are not followed, and addresses that are not
    public are refused unless the server allows them. Webhooks of others are `NOT_FOUND` (`WEBHOOK_NOT_FOUND`).
    """

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def create_webhook(
        self, request: CreateWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> CreateWebhookResponse:
        """Makes a webhook and returns its secret, this once.

        The address is tried first: it gets a message `webhook.verification` with a `challenge`, and must answer with a
        status of 200 to 299 and a body that contains the challenge; otherwise `FAILED_PRECONDITION`
        (`WEBHOOK_NOT_VERIFIED`). Fails with `INVALID_ARGUMENT` (`INVALID_URL`, `URL_NOT_ALLOWED`),
        and with `RESOURCE_EXHAUSTED` (`TOO_MANY_WEBHOOKS`) at 20 of them, or
        (`TOO_MANY_VERIFICATIONS`, with `RetryInfo`) while another address of the caller is being tried, eight of all
        callers are, or after twenty in ten minutes.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/CreateWebhook", request, CreateWebhookResponse, timeout, metadata)

    def list_webhooks(
        self, request: ListWebhooksRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListWebhooksResponse:
        """Lists the webhooks, the newest first."""
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/ListWebhooks", request, ListWebhooksResponse, timeout, metadata)

    def get_webhook(
        self, request: GetWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> GetWebhookResponse:
        """Returns one webhook."""
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/GetWebhook", request, GetWebhookResponse, timeout, metadata)

    def update_webhook(
        self, request: UpdateWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> UpdateWebhookResponse:
        """Changes `url`, `events`, `display_name` or `disabled` of a webhook. A new address is tried as in `CreateWebhook`."""
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/UpdateWebhook", request, UpdateWebhookResponse, timeout, metadata)

    def delete_webhook(
        self, request: DeleteWebhookRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> DeleteWebhookResponse:
        """Deletes a webhook with its deliveries."""
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/DeleteWebhook", request, DeleteWebhookResponse, timeout, metadata)

    def rotate_webhook_secret(
        self, request: RotateWebhookSecretRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> RotateWebhookSecretResponse:
        """Gives a webhook a new secret and returns it, this once. For the overlap messages are signed with both."""
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/RotateWebhookSecret", request, RotateWebhookSecretResponse, timeout, metadata)

    def list_webhook_deliveries(
        self, request: ListWebhookDeliveriesRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ListWebhookDeliveriesResponse:
        """Lists the messages to a webhook, the newest first: those that were delivered for 7 days, others for 30."""
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/ListWebhookDeliveries", request, ListWebhookDeliveriesResponse, timeout, metadata)

    def resend_webhook_delivery(
        self, request: ResendWebhookDeliveryRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> ResendWebhookDeliveryResponse:
        """Sends a message again, now; past its day it is tried once. Fails with `NOT_FOUND` (`DELIVERY_NOT_FOUND`), and with
        `FAILED_PRECONDITION` (`WEBHOOK_DISABLED`) while the webhook is switched off.
        """
        return self._caller.unary_unary("/ocr_grpc.v1.WebhooksService/ResendWebhookDelivery", request, ResendWebhookDeliveryResponse, timeout, metadata)


class HealthSyncStub:
    """Says whether a server, or one service of it, can be called."""

    def __init__(self, caller: SyncCaller) -> None:
        self._caller = caller

    def check(
        self, request: HealthCheckRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> HealthCheckResponse:
        """Returns the status of a service; the empty name stands for the server. Fails with `NOT_FOUND` for
        a service that is not known.
        """
        return self._caller.unary_unary("/grpc.health.v1.Health/Check", request, HealthCheckResponse, timeout, metadata)

    def watch(
        self, request: HealthCheckRequest, *,
        timeout: float | None = None, metadata: Metadata = (),
    ) -> Generator[HealthCheckResponse, None, None]:
        """Sends the status of a service now and whenever it changes."""
        return self._caller.unary_stream("/grpc.health.v1.Health/Watch", request, HealthCheckResponse, timeout, metadata)
