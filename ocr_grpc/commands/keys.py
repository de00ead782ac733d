"""`ocr-grpc keys`: one's own API keys; and those of others, for administrators."""

from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from ocr_grpc.accounts.principal import Scope
from ocr_grpc.commands.accounts_client import Connection, connected, note_if_cut
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.key_table import COLUMNS, key_fields, key_row
from ocr_grpc.commands.options import (
    Address,
    CallsPerMinute,
    ConcurrentStreams,
    Limit,
    Output,
    PagesPerMonth,
    Since,
    seconds,
    set_limits,
    time_ago,
    time_ahead,
)
from ocr_grpc.commands.tables import Form, note, print_fields, print_json, print_rows
from ocr_grpc.commands.usage_table import By, grouping_of, print_summary
from ocr_grpc.v1 import access_pb2, key_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import keys_service_pb2 as pb

keys = typer.Typer(
    help="Make and change API keys. Keys are named by id.",
    no_args_is_help=True,
    add_completion=False,
)

KeyId = Annotated[str, typer.Argument(help="Id of the key.", metavar="KEY_ID")]
Scopes = Annotated[
    list[Scope] | None, typer.Option("--scope", help="What it may do. May be repeated.")
]
KEYS_OF_A_USER = 10_000


@keys.command("list")
def list_keys(
    revoked: Annotated[bool, typer.Option("--revoked", help="Revoked ones too.")] = False,
    user: Annotated[str, typer.Option(help="Another user's, for administrators.")] = "",
    limit: Limit = 100,
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """List keys, the newest first."""
    answer: pb.ListKeysResponse | admin_pb.AdminServiceListKeysResponse
    with connected(address) as connection:
        if user:
            answer = _keys_of(connection, user, revoked, limit)
        else:
            request = pb.ListKeysRequest(show_revoked=revoked)
            answer = connection.list(connection.keys.ListKeys, request, "keys", limit)
    if output is Form.JSON:
        print_json(answer)
        return
    print_rows(COLUMNS, map(key_row, answer.keys))
    note_if_cut(answer)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    scope: Scopes = None,
    expires: Annotated[
        str, typer.Option(help="When it stops working, such as 30d or 2027-01-31; default: never.")
    ] = "",
    calls_per_minute: CallsPerMinute = "",
    pages_per_month: PagesPerMonth = "",
    concurrent_streams: ConcurrentStreams = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Make a key and print its secret, this once. Without --scope it may read documents."""
    key = key_pb2.ApiKey(display_name=name, scopes=_scopes(scope), expire_time=time_ahead(expires))
    set_limits(key, calls_per_minute, pages_per_month, concurrent_streams)
    with connected(address) as connection:
        answer = connection.ask(connection.keys.CreateKey, pb.CreateKeyRequest(key=key))
    note(f"Key {answer.key.key_id} was made. Its secret is shown this once.")
    _print_secret(answer, output)


@keys.command("show")
def show_key(key_id: KeyId, address: Address = "", output: Output = Form.TABLE) -> None:
    """Show a key, without its secret."""
    with connected(address) as connection:
        answer = connection.ask(connection.keys.GetKey, pb.GetKeyRequest(key_id=key_id))
    _print_key(answer, output)


@keys.command("update")
def update_key(
    key_id: KeyId,
    name: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    scope: Scopes = None,
    expires: Annotated[
        str, typer.Option(help="When it stops working, such as 30d or 2027-01-31, or never.")
    ] = "",
    calls_per_minute: CallsPerMinute = "",
    pages_per_month: PagesPerMonth = "",
    concurrent_streams: ConcurrentStreams = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Change a key. Holds on every server within a second. --scope replaces all scopes."""
    never = expires.lower() == "never"
    new = key_pb2.ApiKey(
        display_name=name or "",
        scopes=_scopes(scope),
        expire_time=None if never else time_ahead(expires),
    )
    given = {"display_name": name is not None, "scopes": bool(scope), "expire_time": bool(expires)}
    paths = [field for field, is_given in given.items() if is_given]
    paths += set_limits(new, calls_per_minute, pages_per_month, concurrent_streams)
    _update(key_id, new, paths, address, output)


@keys.command("disable")
def disable_key(key_id: KeyId, address: Address = "", output: Output = Form.TABLE) -> None:
    """Switch a key off; it can be switched on again."""
    _update(key_id, key_pb2.ApiKey(disabled=True), ["disabled"], address, output)


@keys.command("enable")
def enable_key(key_id: KeyId, address: Address = "", output: Output = Form.TABLE) -> None:
    """Switch a key on again."""
    _update(key_id, key_pb2.ApiKey(disabled=False), ["disabled"], address, output)


@keys.command("rotate")
def rotate_key(
    key_id: KeyId,
    overlap: Annotated[
        str, typer.Option(help="How long the old secret works on, such as 1d; default: not at all.")
    ] = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Give a key a new secret and print it, this once."""
    request = pb.RotateKeyRequest(key_id=key_id, overlap_seconds=seconds(overlap))
    with connected(address) as connection:
        answer = connection.ask(connection.keys.RotateKey, request)
    note(f"Key {answer.key.key_id} has a new secret. It is shown this once.")
    _print_secret(answer, output)


@keys.command("revoke")
def revoke_key(
    key_id: KeyId,
    user: Annotated[str, typer.Option(help="Whose key it is, for administrators.")] = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Revoke a key for good: every server refuses it within a second."""
    answer: pb.RevokeKeyResponse | admin_pb.AdminServiceRevokeKeyResponse
    with connected(address) as connection:
        if user:
            answer = _revoke_of(connection, user, key_id)
        else:
            answer = connection.ask(connection.keys.RevokeKey, pb.RevokeKeyRequest(key_id=key_id))
    _print_key(answer, output)


@keys.command("usage")
def key_usage(
    key_id: KeyId,
    by: Annotated[By | None, typer.Option(help="By what to divide it.")] = None,
    since: Since = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Sum up what was done with a key; without --since, in this month (UTC)."""
    request = pb.GetKeyUsageRequest(
        key_id=key_id, start_time=time_ago(since), grouping=grouping_of(by)
    )
    with connected(address) as connection:
        answer = connection.ask(connection.keys.GetKeyUsage, request)
    if output is Form.JSON:
        print_json(answer)
    else:
        print_summary(answer.total, answer.groups, by)


def _scopes(scopes: list[Scope] | None) -> list[access_pb2.Scope.ValueType]:
    return [access_pb2.Scope.Value(f"SCOPE_{scope.name}") for scope in scopes or ()]


def _keys_of(
    connection: Connection, user: str, revoked: bool, limit: int
) -> admin_pb.AdminServiceListKeysResponse:
    request = admin_pb.AdminServiceListKeysRequest(
        user_id=connection.find_user(user).user_id, show_revoked=revoked
    )
    return connection.list(connection.admin.ListKeys, request, "keys", limit)


def _revoke_of(
    connection: Connection, user: str, key_id: str
) -> admin_pb.AdminServiceRevokeKeyResponse:
    theirs = _keys_of(connection, user, True, KEYS_OF_A_USER)
    if key_id not in {key.key_id for key in theirs.keys}:
        raise CommandFailed(f"{user} has no such API key.", "KEY_NOT_FOUND")
    request = admin_pb.AdminServiceRevokeKeyRequest(key_id=key_id)
    return connection.ask(connection.admin.RevokeKey, request)


def _update(key_id: str, new: key_pb2.ApiKey, paths: list[str], address: str, output: Form) -> None:
    if not paths:
        raise typer.BadParameter("Nothing to change was given.")
    request = pb.UpdateKeyRequest(key_id=key_id, key=new, update_mask=FieldMask(paths=paths))
    with connected(address) as connection:
        answer = connection.ask(connection.keys.UpdateKey, request)
    _print_key(answer, output)


def _print_secret(answer: pb.CreateKeyResponse | pb.RotateKeyResponse, output: Form) -> None:
    if output is Form.JSON:
        print_json(answer)
    else:  # alone on standard output, for KEY=$(ocr-grpc keys create)
        typer.echo(answer.secret)


def _print_key(
    answer: pb.GetKeyResponse
    | pb.UpdateKeyResponse
    | pb.RevokeKeyResponse
    | admin_pb.AdminServiceRevokeKeyResponse,
    output: Form,
) -> None:
    if output is Form.JSON:
        print_json(answer)
    else:
        print_fields(key_fields(answer.key))
