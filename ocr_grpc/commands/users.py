"""`ocr-grpc users`: accounts, for administrators; and one's own password."""

import secrets
import sys
from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from ocr_grpc.accounts.principal import Role
from ocr_grpc.commands.accounts_client import Connection, connected, note_if_cut
from ocr_grpc.commands.options import (
    Address,
    CallsPerMinute,
    ConcurrentStreams,
    Limit,
    Output,
    PagesPerMonth,
    PasswordStdin,
    read_password,
    seconds,
    set_limits,
)
from ocr_grpc.commands.tables import Form, note, print_fields, print_json, print_rows
from ocr_grpc.commands.user_table import COLUMNS, user_fields, user_row
from ocr_grpc.v1 import admin_service_pb2 as pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import user_pb2

GENERATED_PASSWORD_BYTES = 18

users = typer.Typer(
    help="Administer accounts. Users are named by user name or id.",
    no_args_is_help=True,
    add_completion=False,
)

Name = Annotated[str, typer.Argument(help="User name or id.")]


@users.command("list")
def list_users(
    query: Annotated[
        str, typer.Argument(help="Part of a user name, display name or address.")
    ] = "",
    role: Annotated[Role | None, typer.Option(help="Users of one role.")] = None,
    limit: Limit = 100,
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """List users, the newest first."""
    request = pb.ListUsersRequest(query=query, role=_role(role))
    with connected(address) as connection:
        answer = connection.list(connection.admin.ListUsers, request, "users", limit)
    if output is Form.JSON:
        print_json(answer)
        return
    print_rows(COLUMNS, map(user_row, answer.users))
    note_if_cut(answer)


@users.command("show")
def show_user(name: Name, address: Address = "", output: Output = Form.TABLE) -> None:
    """Show a user."""
    with connected(address) as connection:
        user = connection.find_user(name)
    _print_user(pb.GetUserResponse(user=user), output)


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="User name.")],
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    display_name: Annotated[str, typer.Option(help="How the user likes to be called.")] = "",
    role: Annotated[Role, typer.Option(help="What the user is.")] = Role.USER,
    password_stdin: PasswordStdin = False,
    calls_per_minute: CallsPerMinute = "",
    pages_per_month: PagesPerMonth = "",
    concurrent_streams: ConcurrentStreams = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Make a user. Without --password-stdin a password is made and printed, this once."""
    user = user_pb2.User(user_name=name, email=email, display_name=display_name, role=_role(role))
    set_limits(user, calls_per_minute, pages_per_month, concurrent_streams)
    password = (
        read_password(from_stdin=True)
        if password_stdin
        else secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    )
    with connected(address) as connection:
        answer = connection.ask(
            connection.admin.CreateUser, pb.CreateUserRequest(user=user, password=password)
        )
    note(f"User {answer.user.user_name} ({answer.user.user_id}) was made.")
    if not password_stdin:
        note("The password below is shown this once.")
    # With JSON, standard output is one document; a password has no field in it.
    if output is Form.JSON:
        print_json(answer)
    if not password_stdin:
        typer.echo(password, err=output is Form.JSON)


@users.command("update")
def update_user(
    name: Name,
    rename: Annotated[str | None, typer.Option(help="New user name.")] = None,
    email: Annotated[str | None, typer.Option(help="New e-mail address.")] = None,
    display_name: Annotated[str | None, typer.Option(help="New display name.")] = None,
    role: Annotated[Role | None, typer.Option(help="New role.")] = None,
    calls_per_minute: CallsPerMinute = "",
    pages_per_month: PagesPerMonth = "",
    concurrent_streams: ConcurrentStreams = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Change a user. Holds on every server within a second."""
    texts = {"user_name": rename, "email": email, "display_name": display_name}
    paths = [field for field, text in texts.items() if text is not None]
    new = user_pb2.User(
        user_name=rename or "",
        email=email or "",
        display_name=display_name or "",
        role=_role(role),
    )
    if role:
        paths.append("role")
    paths += set_limits(new, calls_per_minute, pages_per_month, concurrent_streams)
    _update(name, new, paths, address, output)


@users.command("disable")
def disable_user(name: Name, address: Address = "", output: Output = Form.TABLE) -> None:
    """Lock a user out: tokens and keys are refused on every server within a second."""
    _update(name, user_pb2.User(disabled=True), ["disabled"], address, output)


@users.command("enable")
def enable_user(name: Name, address: Address = "", output: Output = Form.TABLE) -> None:
    """Let a disabled user in again."""
    _update(name, user_pb2.User(disabled=False), ["disabled"], address, output)


@users.command("delete")
def delete_user(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Delete a user for good: name and address are forgotten, usage remains."""
    with connected(address) as connection:
        user = connection.find_user(name)
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Delete {user.user_name} ({user.user_id}) for good?", abort=True)
        answer = connection.ask(
            connection.admin.DeleteUser, pb.DeleteUserRequest(user_id=user.user_id)
        )
    note(f"User {user.user_name} ({user.user_id}) is deleted.")
    if output is Form.JSON:
        print_json(answer)


@users.command("passwd")
def set_password(
    name: Annotated[str, typer.Argument(help="User name or id; default: oneself.")] = "",
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin",
            help="Read the password from standard input; one's own: the old one, then the new.",
        ),
    ] = False,
    address: Address = "",
) -> None:
    """Set a password, which ends the user's sessions; one's own: all but this one."""
    with connected(address, login_only=not name) as connection:
        if not name:
            _change_own_password(connection, password_stdin)
            return
        user = connection.find_user(name)
        password = read_password(password_stdin, "New password", confirm=True)
        request = pb.UpdateUserRequest(user_id=user.user_id, password=password)
        connection.ask(connection.admin.UpdateUser, request)
    note(f"The password of {user.user_name} is set.")


@users.command("invite")
def invite_user(
    email: Annotated[str, typer.Option(help="The only address that may use it.")] = "",
    role: Annotated[Role, typer.Option(help="Role of the account made with it.")] = Role.USER,
    organization: Annotated[str, typer.Option(help="Id of the organization to join.")] = "",
    expires: Annotated[str, typer.Option(help="How long it works, such as 7d; at most 30d.")] = "",
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Make an invitation and print its code, this once."""
    request = pb.CreateInviteRequest(
        role=_role(role),
        email=email,
        organization_id=organization,
        lifetime_seconds=seconds(expires),
    )
    with connected(address) as connection:
        answer = connection.ask(connection.admin.CreateInvite, request)
    note(f"The code of invitation {answer.invite.invite_id} is shown this once.")
    if output is Form.JSON:
        print_json(answer)
    else:
        typer.echo(answer.code)


def _role(role: Role | None) -> user_pb2.Role.ValueType:
    return user_pb2.Role.Value(f"ROLE_{role.name}") if role else user_pb2.ROLE_UNSPECIFIED


def _update(name: str, new: user_pb2.User, paths: list[str], address: str, output: Form) -> None:
    if not paths:
        raise typer.BadParameter("Nothing to change was given.")
    with connected(address) as connection:
        user_id = connection.find_user(name).user_id
        request = pb.UpdateUserRequest(
            user_id=user_id, user=new, update_mask=FieldMask(paths=paths)
        )
        answer = connection.ask(connection.admin.UpdateUser, request)
    _print_user(answer, output)


def _change_own_password(connection: Connection, from_stdin: bool) -> None:
    old = read_password(from_stdin, "Password until now")
    new = read_password(from_stdin, "New password", confirm=True)
    request = auth_pb.ChangePasswordRequest(old_password=old, new_password=new)
    connection.ask(connection.auth.ChangePassword, request)
    note("The password is set; all other sessions are ended.")


def _print_user(answer: pb.GetUserResponse | pb.UpdateUserResponse, output: Form) -> None:
    if output is Form.JSON:
        print_json(answer)
    else:
        print_fields(user_fields(answer.user))
