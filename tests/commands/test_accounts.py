"""How the commands about accounts read what is typed and print what is answered."""

import inspect
import io
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
import typer

from ocr_grpc.accounts.errors import KeyNotFound, UserNotFound
from ocr_grpc.cli import COMMANDS, load
from ocr_grpc.commands.accounts_client import Connection
from ocr_grpc.commands.addresses import ServerAddress
from ocr_grpc.commands.channels import open_channel
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.options import (
    duration,
    read_password,
    seconds,
    set_limits,
    time_ago,
    time_ahead,
)
from ocr_grpc.commands.tables import limits_text, print_fields, print_rows, short_name
from ocr_grpc.rpc.status import DETAILS_KEY, status_of
from ocr_grpc.v1 import admin_service_pb2 as pb
from ocr_grpc.v1 import key_pb2, user_pb2
from ocr_grpc.v1.admin_service_pb2_grpc import (
    AdminServiceServicer,
    add_AdminServiceServicer_to_server,
)


def user_id(number: int) -> str:
    return f"{number:024x}"


# Number 3 took the id of number 7 for a name.
USERS = [
    user_pb2.User(
        user_id=user_id(number), user_name=user_id(7) if number == 3 else f"user-{number}"
    )
    for number in range(1200)
]


class Listing(AdminServiceServicer):
    """Knows 1,200 users, and gives 500 at most at once."""

    def ListUsers(self, request, context):  # noqa: N802 - the name in the proto
        found = [user for user in USERS if request.query.lower() in user.user_name]
        start = int(request.page_token or 0)
        end = start + min(request.page_size or 50, 500)
        token = str(end) if end < len(found) else ""
        return pb.ListUsersResponse(
            users=found[start:end], next_page_token=token, total_size=len(found)
        )

    def GetUser(self, request, context):  # noqa: N802 - the name in the proto
        for user in USERS:
            if user.user_id == request.user_id:
                return pb.GetUserResponse(user=user)
        return self._refuse(UserNotFound(request.user_id), context)

    def RevokeKey(self, request, context):  # noqa: N802 - the name in the proto
        return self._refuse(KeyNotFound(request.key_id), context)

    def _refuse(self, error, context):
        details = status_of(error).SerializeToString()
        context.set_trailing_metadata(((DETAILS_KEY, details),))
        context.abort(grpc.StatusCode.NOT_FOUND, error.message)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        add_AdminServiceServicer_to_server(Listing(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with open_channel(ServerAddress(f"127.0.0.1:{port}")) as channel:
            yield Connection(channel, None)
        server.stop(None).wait()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found_and_is_what_the_list_of_commands_says(name):
    command = load(name)
    assert inspect.cleandoc(command.help).splitlines()[0] == COMMANDS[name][1]


def test_the_list_of_commands_is_quick_because_it_loads_none_of_them():
    heavy = {"grpc", "pydantic_settings", "sqlalchemy", "numpy", "ocr_grpc.server"}
    code = f"import sys, ocr_grpc.cli; print(*{heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("45m", timedelta(minutes=45)),
        ("12H", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_durations(text, meant):
    assert duration(text) == meant
    assert seconds(text) == meant.total_seconds()


@pytest.mark.parametrize("text", ["", "d", "30", "-1d", "1.5h", "30 days", "9999999d", "٣d"])
def test_what_is_no_duration_is_a_usage_error(text):
    with pytest.raises(typer.BadParameter):
        duration(text)


def test_moments_are_days_times_in_utc_or_durations():
    day = datetime(2026, 11, 1, tzinfo=UTC)
    assert time_ago("2026-11-01").ToDatetime(UTC) == day
    assert time_ago("2026-11-01T02:00:00+02:00").ToDatetime(UTC) == day
    near = timedelta(seconds=5)
    assert abs(time_ago("7d").ToDatetime(UTC) - (datetime.now(UTC) - timedelta(days=7))) < near
    assert abs(time_ahead("1h").ToDatetime(UTC) - (datetime.now(UTC) + timedelta(hours=1))) < near
    assert time_ago("") is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "999999w"])
def test_what_is_no_moment_is_a_usage_error(text):
    with pytest.raises(typer.BadParameter):
        time_ahead(text)


def test_limits_are_set_to_numbers_and_taken_back_by_default():
    key = key_pb2.ApiKey()
    assert set_limits(key, "60", "default", "") == [
        "limits.calls_per_minute",
        "limits.pages_per_month",
    ]
    assert key.limits == user_pb2.CallerLimits(calls_per_minute=60)
    untouched = key_pb2.ApiKey()
    assert set_limits(untouched, "", "", "") == []
    assert not untouched.HasField("limits")


@pytest.mark.parametrize("word", ["-1", "many", "2147483648", "1.5", "٣"])
def test_what_is_no_limit_is_a_usage_error(word):
    with pytest.raises(typer.BadParameter):
        set_limits(user_pb2.User(), word, "", "")


@pytest.mark.parametrize(("typed", "read"), [("pass\n", "pass"), (" a b \r\nmore", " a b ")])
def test_a_password_is_one_line_of_standard_input(typed, read, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed, newline=""))
    assert read_password(from_stdin=True) == read


@pytest.mark.parametrize("from_stdin", [True, False])
def test_without_a_password_or_a_terminal_it_is_a_usage_error(from_stdin, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(typer.BadParameter):
        read_password(from_stdin)


def test_a_list_is_joined_from_its_pages_up_to_a_limit(connection):
    def listed(limit):
        request = pb.ListUsersRequest()
        return connection.list(connection.admin.ListUsers, request, "users", limit)

    assert [user.user_id for user in listed(10_000).users] == [user.user_id for user in USERS]
    assert listed(10_000).next_page_token == ""
    assert len(listed(700).users) == 700
    assert listed(700).next_page_token == "700"
    assert listed(700).total_size == 1200


@pytest.mark.parametrize(
    ("named", "number"),
    [("user-1", 1), ("USER-1199", 1199), (user_id(12), 12), (user_id(7), 7)],
)
def test_a_user_is_found_by_id_and_by_the_exact_name(connection, named, number):
    assert connection.find_user(named).user_id == user_id(number)


@pytest.mark.parametrize("named", ["user", "user-1200", "ser-1", user_id(1200)])
def test_a_part_of_a_name_is_nobody(connection, named):
    with pytest.raises(CommandFailed) as failed:
        connection.find_user(named)
    assert failed.value.reason == "USER_NOT_FOUND"


def test_an_error_is_one_line_with_the_reason_of_the_server(connection):
    request = pb.AdminServiceRevokeKeyRequest(key_id="nothing")
    with pytest.raises(CommandFailed) as failed:
        connection.ask(connection.admin.RevokeKey, request)
    assert str(failed.value) == "There is no such API key. (KEY_NOT_FOUND)"


def test_what_a_server_does_not_offer_is_said_by_its_code(connection):
    with pytest.raises(CommandFailed, match="UNIMPLEMENTED"):
        connection.ask(connection.admin.GetStats, pb.GetStatsRequest())


def test_nothing_that_others_wrote_steers_the_terminal(capsys):
    print_rows(("NAME", "E-MAIL"), [("\x1b[31mred\x07", "a\tb\nc")])
    print_fields([("name", "\x1b]0;title\x07")])
    assert str(CommandFailed("a\x1b[2Jb\nc")) == "a�[2Jb�c"
    assert capsys.readouterr().out == "NAME\tE-MAIL\n�[31mred�\ta�b�c\nname\t�]0;title�\n"


def test_a_terminal_gets_a_table_and_markup_is_plain_text(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    print_rows(("NAME", "ROLE"), [("[bold]ada[/bold]", "user")])
    printed = capsys.readouterr().out
    assert "[bold]ada[/bold]" in printed
    assert "──" in printed


def test_names_and_limits_are_short():
    assert short_name("ROLE_ADMIN") == "admin"
    limits = user_pb2.CallerLimits(calls_per_minute=60, pages_per_month=0)
    assert limits_text(limits) == "60 calls/minute, unlimited pages/month"
    assert limits_text(user_pb2.CallerLimits()) == ""
