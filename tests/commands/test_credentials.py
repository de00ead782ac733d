"""Which credential a command uses, how logins are kept, and that nothing of them is shown."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_status import rpc_status

from ocr_grpc.accounts import bootstrap
from ocr_grpc.accounts.errors import RefreshTokenReused
from ocr_grpc.commands.addresses import (
    LOCAL_KEY_FILE,
    ServerAddress,
    find_server,
    host_of,
    is_loopback,
)
from ocr_grpc.commands.credentials import Credentials, credentials_for
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.sessions import Session, SessionFile
from ocr_grpc.rpc.status import status_of
from ocr_grpc.v1 import auth_service_pb2 as pb
from ocr_grpc.v1.auth_service_pb2_grpc import (
    AuthServiceServicer,
    add_AuthServiceServicer_to_server,
)

KEY = "ocr_" + "k" * 38
NOWHERE = "127.0.0.1:1"


class Refreshing(AuthServiceServicer):
    """Gives out refresh tokens `r0`, `r1`, … and takes each of them once."""

    def __init__(self) -> None:
        self.next = 0
        self._lock = threading.Lock()

    def RefreshToken(self, request, context):  # noqa: N802 - the name in the proto
        time.sleep(0.1)
        with self._lock:
            if request.refresh_token != f"r{self.next}":
                context.abort_with_status(rpc_status.to_status(status_of(RefreshTokenReused())))
            self.next += 1
            return pb.RefreshTokenResponse(
                access_token=f"a{self.next}", expires_in=1800, refresh_token=f"r{self.next}"
            )


@pytest.fixture
def refreshing() -> Iterator[tuple[Refreshing, str]]:
    servicer = Refreshing()
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        add_AuthServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield servicer, f"127.0.0.1:{port}"
        server.stop(None).wait()


@pytest.fixture
def sessions(tmp_path) -> SessionFile:
    return SessionFile(tmp_path / "config" / "ocr-grpc")


def session(seconds_left=1800.0, refresh_token="r0") -> Session:
    return Session("a0", refresh_token, time.time() + seconds_left, "ada")


def keep(sessions: SessionFile, target: str, kept: Session) -> None:
    with sessions.locked():
        sessions.put(target, kept)


def presented(credentials: Credentials) -> tuple:
    found = credentials.find()
    return found.metadata if found else ()


def test_the_environment_goes_before_a_login_and_that_before_the_key_of_the_machine(
    tmp_path, sessions
):
    key_file = tmp_path / "local.key"
    server = ServerAddress(NOWHERE, key_file)
    assert presented(Credentials(server, {}, sessions)) == ()
    key_file.write_text("ocr_local\n")
    assert presented(Credentials(server, {}, sessions)) == (("x-api-key", "ocr_local"),)
    keep(sessions, NOWHERE, session())
    assert presented(Credentials(server, {}, sessions)) == (("authorization", "Bearer a0"),)
    environ = {"OCR_API_KEY": f" {KEY}\n"}
    assert presented(Credentials(server, environ, sessions)) == (("x-api-key", KEY),)
    assert presented(Credentials(server, {"OCR_API_KEY": ""}, sessions))[0][0] == "authorization"


def test_a_login_is_for_one_server_only(sessions):
    keep(sessions, "127.0.0.1:2", session())
    assert presented(Credentials(ServerAddress(NOWHERE), {}, sessions)) == ()


def test_the_key_of_the_machine_is_for_its_own_server_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRPC_PORT", "4711")
    own = tmp_path / "data" / "local.key"
    for address in ("", "127.0.0.1:4711", "localhost:4711", "[::1]:4711"):
        server = find_server(address)
        assert server.target == (address or "127.0.0.1:4711")
        assert server.local_key.absolute() == own
    for address in ("127.0.0.1:4712", "10.0.0.7:4711", "localhost.example.com:4711"):
        assert find_server(address) == ServerAddress(address)


def test_commands_look_for_the_key_where_the_server_puts_it():
    assert LOCAL_KEY_FILE == bootstrap.LOCAL_KEY_FILE  # not imported: it takes half a second


@pytest.mark.parametrize("host", ["192.0.2.7", "nowhere.invalid"])
def test_a_setting_that_names_another_machine_does_not_get_the_key_of_this_one(
    tmp_path, monkeypatch, host
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOST", host)
    assert find_server("") == ServerAddress(f"{host}:50051")


def test_wrong_settings_matter_only_where_they_are_needed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRPC_PORT", "many")
    assert find_server("server:1") == ServerAddress("server:1")
    with pytest.raises(CommandFailed, match="GRPC_PORT") as failed:
        find_server("")
    assert failed.value.exit_code == 2


def test_what_is_kept_is_readable_by_its_owner_only(tmp_path, sessions):
    keep(sessions, NOWHERE, session())
    keep(sessions, "other:1", session())
    folder = tmp_path / "config" / "ocr-grpc"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} == {"credentials.json", "credentials.lock"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    assert set(json.loads((folder / "credentials.json").read_text())) == {NOWHERE, "other:1"}


def test_the_folder_is_that_of_xdg_unless_it_is_relative(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    answer = pb.LoginResponse(access_token="a", refresh_token="r", expires_in=60)
    credentials_for(ServerAddress(NOWHERE)).keep(answer)
    assert (tmp_path / "xdg" / "ocr-grpc" / "credentials.json").exists()
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    credentials_for(ServerAddress(NOWHERE)).keep(answer)
    assert (tmp_path / "home" / ".config" / "ocr-grpc" / "credentials.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"127.0.0.1:1": {}}', '{"127.0.0.1:1": 7}'])
def test_a_broken_file_is_said_so(tmp_path, content):
    (tmp_path / "credentials.json").write_text(content)
    with pytest.raises(CommandFailed, match=r"credentials.json cannot be understood"):
        SessionFile(tmp_path).get(NOWHERE)


def test_without_a_home_there_is_no_login_and_none_can_be_kept():
    nowhere = SessionFile(None)
    assert nowhere.get(NOWHERE) is None
    with pytest.raises(CommandFailed, match="XDG_CONFIG_HOME"):
        keep(nowhere, NOWHERE, session())


def test_a_token_about_to_expire_is_refreshed_and_kept(refreshing, sessions):
    _, target = refreshing
    keep(sessions, target, session(seconds_left=20))
    credentials = Credentials(ServerAddress(target), {}, sessions)
    assert presented(credentials) == (("authorization", "Bearer a1"),)
    kept = sessions.get(target)
    assert kept.refresh_token == "r1"
    assert kept.user_name == "ada"
    assert kept.expire_time == pytest.approx(time.time() + 1800, abs=10)


def test_commands_at_once_spend_a_refresh_token_once(refreshing, sessions):
    servicer, target = refreshing
    keep(sessions, target, session(seconds_left=0))
    with ThreadPoolExecutor(4) as threads:
        credentials = [Credentials(ServerAddress(target), {}, sessions) for _ in range(4)]
        found = set(threads.map(presented, credentials))
    assert found == {(("authorization", "Bearer a1"),)}
    assert servicer.next == 1


def test_a_refused_refresh_forgets_the_login_and_says_what_to_do(refreshing, sessions):
    _, target = refreshing
    keep(sessions, target, session(seconds_left=0, refresh_token="spent"))
    with pytest.raises(CommandFailed, match="ocr-grpc login") as failed:
        Credentials(ServerAddress(target), {}, sessions).find()
    assert failed.value.reason == "REFRESH_TOKEN_REUSED"
    assert sessions.get(target) is None


def test_a_server_that_is_away_does_not_cost_the_login(sessions):
    keep(sessions, NOWHERE, session(seconds_left=0))
    with pytest.raises(CommandFailed) as failed:
        Credentials(ServerAddress(NOWHERE), {}, sessions).find()
    assert failed.value.reason == "UNAVAILABLE"
    assert sessions.get(NOWHERE) is not None


def test_no_secret_is_in_a_repr_or_an_error(sessions, tmp_path):
    found = Credentials(ServerAddress(NOWHERE), {"OCR_API_KEY": KEY}, sessions).find()
    assert KEY not in repr(found)
    assert "a0" not in repr(session())
    assert "r0" not in repr(session())
    for wrong in (f"{KEY}\nx", f"{KEY}ö", f"{KEY} {KEY}"):
        with pytest.raises(CommandFailed, match="OCR_API_KEY holds characters") as failed:
            Credentials(ServerAddress(NOWHERE), {"OCR_API_KEY": wrong}, sessions).find()
        assert KEY not in str(failed.value)


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("127.0.0.1:50051", True),
        ("127.9.9.9:50051", True),
        ("localhost:50051", True),
        ("[::1]:50051", True),
        ("ipv6:[::1]:50051", True),
        ("ipv4:127.0.0.1:50051,127.0.0.2:50051", True),
        ("ipv4:127.0.0.1:50051,10.0.0.7:50051", False),
        ("dns:///localhost:50051", True),
        ("dns://10.0.0.1/ocr.example.com:50051", False),
        ("unix:/run/ocr.sock", True),
        ("10.0.0.7:50051", False),
        ("localhost.example.com:50051", False),
        ("ocr.example.com", False),
    ],
)
def test_plaintext_beyond_this_machine_is_warned_of(target, stays, sessions, capsys):
    assert is_loopback(target) is stays
    credentials = Credentials(ServerAddress(target), {"OCR_API_KEY": KEY}, sessions)
    credentials.find()
    credentials.find()
    warnings = capsys.readouterr().err
    assert warnings.count("unencrypted") == (0 if stays else 1)
    assert KEY not in warnings


def test_without_credentials_nothing_is_warned_of(sessions, capsys):
    assert Credentials(ServerAddress("10.0.0.7:1"), {}, sessions).find() is None
    assert capsys.readouterr().err == ""


def test_the_host_of_an_address_without_a_port():
    assert host_of("::1") == "::1"
    assert host_of("[fe80::1%25eth0]:1") == "fe80::1%eth0"
