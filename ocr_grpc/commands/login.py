"""`ocr-grpc login`, `logout` and `whoami`: who one is to a server."""

import sys
from typing import Annotated

import typer

from ocr_grpc.commands.accounts_client import connected
from ocr_grpc.commands.addresses import find_server
from ocr_grpc.commands.calls import ask
from ocr_grpc.commands.channels import open_channel
from ocr_grpc.commands.credentials import KEY_VARIABLE, credentials_for
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.options import Address, Output, PasswordStdin, read_password
from ocr_grpc.commands.tables import Form, note, print_fields, print_json
from ocr_grpc.commands.user_table import user_fields
from ocr_grpc.v1 import auth_service_pb2 as pb
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceStub

ENDED = (
    "REFRESH_TOKEN_INVALID",
    "REFRESH_TOKEN_EXPIRED",
    "REFRESH_TOKEN_REUSED",
    "SESSION_REVOKED",
    "TOKEN_INVALID",
)
"""Reasons that say that there is no session to end any more."""


def login(
    user: Annotated[str, typer.Argument(help="User name or e-mail address.")] = "",
    address: Address = "",
    password_stdin: PasswordStdin = False,
    output: Output = Form.TABLE,
) -> None:
    """Sign in to a server and keep the session for later commands."""
    server = find_server(address)
    credentials = credentials_for(server)
    credentials.warn_of_plaintext()
    name = user or _asked_name(password_stdin)
    request = pb.LoginRequest(user_name=name, password=read_password(password_stdin))
    with open_channel(server) as channel:
        answer = ask(AuthServiceStub(channel).Login, request)
    credentials.keep(answer)
    note(f"Logged in to {server.name} as {answer.user.user_name}.")
    if credentials.environment_wins():
        note(f"{KEY_VARIABLE} is set and goes before the login.")
    if output is Form.JSON:
        print_json(pb.GetMeResponse(user=answer.user))  # without the tokens


def logout(
    address: Address = "",
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="End all sessions of the user.")
    ] = False,
) -> None:
    """End the session at a server and forget it."""
    server = find_server(address)
    credentials = credentials_for(server)
    if not credentials.logged_in():
        note(f"Not logged in to {server.name}.")
        return
    try:
        with connected(address, login_only=True) as connection:
            connection.ask(connection.auth.Logout, pb.LogoutRequest(everywhere=everywhere))
    except CommandFailed as failure:
        if failure.reason not in ENDED:
            raise CommandFailed(
                f"The login is forgotten here, but the server could not be told: {failure.message}",
                failure.reason,
            ) from None
    finally:
        credentials.forget()
    note(f"Logged out of {server.name}.")


def whoami(address: Address = "", output: Output = Form.TABLE) -> None:
    """Say who one is to a server, and by which credential."""
    with connected(address) as connection:
        answer = connection.ask(connection.auth.GetMe, pb.GetMeRequest())
    if output is Form.JSON:
        print_json(answer)
        return
    source = connection.credential.source if connection.credential else "no credential"
    print_fields([*user_fields(answer.user), ("credential", source)])


def _asked_name(password_stdin: bool) -> str:
    if password_stdin or not sys.stdin.isatty():
        raise typer.BadParameter("Say who: ocr-grpc login USER.")
    return str(typer.prompt("User name", err=True))
