"""The commands about accounts against a real server process, as people and scripts use them."""

import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocr_grpc.cli import main
from tests.processes import COMMAND, environment, serve
from tests.support import encoded, picture

ADMIN_PASSWORD = "the first password"
PASSWORD = "correct horse battery"


@dataclass
class Ran:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Shell:
    """Somebody's shell on a machine with a server, with a home of their own."""

    folder: Path
    address: str
    home: Path

    def __call__(self, *words: str, typed: str = "", **variables: str) -> Ran:
        """Run a command in this process, which saves the time of starting some hundred."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, chdir(self.folder):
            for name in set(os.environ) - {"PATH"}:
                patch.delenv(name)
            for name, value in self.environment(**variables).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["ocr-grpc", *words])
            patch.setattr(sys, "stdin", io.StringIO(typed))
            ended = pytest.raises(SystemExit)
            with redirect_stdout(stdout), redirect_stderr(stderr), ended as end:
                main()
        return Ran(int(end.value.code or 0), stdout.getvalue(), stderr.getvalue())

    def process(self, *words: str, **variables: str) -> Ran:
        """Run a command in a process of its own."""
        run = subprocess.run(
            [COMMAND, *words],
            env=self.environment(**variables),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in run.stderr
        return Ran(run.returncode, run.stdout, run.stderr)

    def environment(self, **variables: str) -> dict[str, str]:
        own = {"XDG_CONFIG_HOME": str(self.home), "OCR_ADDRESS": self.address}
        return environment(self.folder, **own | variables)

    def answered(self, *words: str, **keywords) -> str:
        run = self(*words, **keywords)
        assert run.returncode == 0, run.stderr
        return run.stdout.removesuffix("\n")

    def json(self, *words: str, **keywords):
        return json.loads(self.answered(*words, "--output", "json", **keywords))

    def refused(self, *words: str, **keywords) -> str:
        """Return the one line that a command fails with."""
        run = self(*words, **keywords)
        assert run.returncode == 1
        assert run.stdout == ""
        assert run.stderr.startswith("ocr-grpc: ")
        assert run.stderr.count("\n") == 1
        return run.stderr

    def login(self, name: str, password: str = PASSWORD) -> None:
        self.answered("login", name, "--password-stdin", typed=password + "\n")

    @property
    def kept(self) -> Path:
        return self.home / "ocr-grpc" / "credentials.json"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    (folder / "scan.png").write_bytes(encoded(picture()))
    with serve(folder, AUTH_ENABLED="true", BOOTSTRAP_PASS=ADMIN_PASSWORD) as (_, address):
        yield folder, address


@pytest.fixture
def shell(served, tmp_path) -> Shell:
    return Shell(*served, tmp_path)


@pytest.fixture
def admin(served, tmp_path) -> Shell:
    admin = Shell(*served, tmp_path / "admin")
    admin.login("admin", ADMIN_PASSWORD)
    return admin


def add(admin: Shell, name: str, *options: str) -> str:
    words = ("users", "add", name, "--password-stdin", *options)
    return admin.json(*words, typed=PASSWORD + "\n")["user"]["user_id"]


def test_without_credentials_the_command_says_what_to_do(shell):
    for words in (["whoami"], ["keys", "list"], ["extract", "scan.png"]):
        said = shell.refused(*words)
        assert "CREDENTIALS_MISSING" in said
        assert "`ocr-grpc login`" in said
        assert "OCR_API_KEY" in said


def test_a_refusal_in_the_middle_of_an_upload_is_told_as_the_server_says_it(shell):
    (shell.home / "large.png").write_bytes(b"x" * 5_000_000)
    for _ in range(10):  # every second one was told as INTERNAL
        said = shell.refused("extract", str(shell.home / "large.png"))
        assert "CREDENTIALS_MISSING: " in said


def test_a_refusal_is_one_line_and_code_1_in_a_real_shell_too(shell):
    run = shell.process("keys", "list", OCR_API_KEY="ocr_mistyped")
    assert run == Ran(
        1, "", "ocr-grpc: The API key is not valid. Was it copied whole? (KEY_INVALID)\n"
    )


def test_on_the_machine_of_the_server_its_owner_needs_no_login(shell):
    port = shell.address.rpartition(":")[2]
    fields = shell.answered("whoami", OCR_ADDRESS="", GRPC_PORT=port)
    assert "user_name\tadmin" in fields
    assert "local.key" in fields
    assert shell.answered("extract", "scan.png", OCR_ADDRESS="", GRPC_PORT=port)


def test_a_login_is_kept_until_the_logout(shell, admin):
    add(admin, "lovelace")
    shell.login("Lovelace")
    assert shell.kept.stat().st_mode & 0o777 == 0o600
    assert shell.json("whoami")["user"]["user_name"] == "lovelace"
    left_over = shell.kept.read_text()
    assert shell.answered("logout") == ""
    assert "CREDENTIALS_MISSING" in shell.refused("whoami")
    assert shell("logout").returncode == 0
    shell.kept.write_text(left_over)
    assert "(SESSION_REVOKED)" in shell.refused("whoami")
    assert shell.answered("logout") == ""
    assert json.loads(shell.kept.read_text()) == {}


def test_neither_tokens_nor_passwords_are_printed(shell):
    run = shell("login", "admin", "--password-stdin", "--output", "json", typed=ADMIN_PASSWORD)
    assert json.loads(run.stdout)["user"]["user_name"] == "admin"
    (kept,) = json.loads(shell.kept.read_text()).values()
    for secret in (kept["access_token"], kept["refresh_token"], ADMIN_PASSWORD):
        assert secret not in run.stdout + run.stderr
    said = shell.refused("login", "admin", "--password-stdin", typed="a wrong password\n")
    assert said == "ocr-grpc: User name or password are wrong. (LOGIN_FAILED)\n"


def test_an_expired_token_is_refreshed_once_by_commands_at_once(shell, admin):
    add(admin, "hopper")
    shell.login("hopper")
    kept = json.loads(shell.kept.read_text())
    kept[shell.address]["expire_time"] = time.time() + 1
    shell.kept.write_text(json.dumps(kept))
    with ThreadPoolExecutor(3) as threads:
        runs = list(threads.map(lambda _: shell.process("whoami"), range(3)))
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert json.loads(shell.kept.read_text()) != kept
    shell.answered("whoami")


def test_a_user_is_made_changed_locked_out_let_in_and_deleted(shell, admin):
    made = admin("users", "add", "turing", "--role", "business", "--email", "alan@example.com")
    password = made.stdout.strip()
    assert made.returncode == 0
    assert len(password) >= 20
    assert password not in made.stderr
    shell.login("turing", password)
    user_id = shell.json("whoami")["user"]["user_id"]

    changes = ("--display-name", "Alan", "--pages-per-month", "70", "--calls-per-minute", "0")
    user = admin.json("users", "update", "turing", *changes)["user"]
    assert user["display_name"] == "Alan"
    assert user["email"] == "alan@example.com"
    assert user["limits"] == {"pages_per_month": 70, "calls_per_minute": 0}
    user = admin.json("users", "update", user_id, "--calls-per-minute", "default")["user"]
    assert user["limits"] == {"pages_per_month": 70}

    assert "state\tdisabled" in admin.answered("users", "disable", "TURING")
    time.sleep(1)
    assert "(USER_DISABLED)" in shell.refused("whoami")
    admin.answered("users", "enable", "turing")
    admin.answered("users", "passwd", "turing", "--password-stdin", typed=PASSWORD)
    shell.login("turing")
    shell.answered("users", "passwd", "--password-stdin", typed=f"{PASSWORD}\n{password}\n")
    shell.login("turing", password)

    assert "turing\talan@example.com\tbusiness\tactive\t20" in admin.answered("users", "list")
    admin.answered("users", "delete", "turing")
    assert "(USER_NOT_FOUND)" in admin.refused("users", "show", "turing")


def test_administration_is_for_administrators(shell, admin):
    add(admin, "plain")
    shell.login("plain")
    for words in (["users", "list"], ["users", "show", "admin"], ["usage", "--all"]):
        assert "(ROLE_REQUIRED)" in shell.refused(*words)


def test_an_invitation_is_a_code_alone_on_standard_output(admin):
    run = admin("users", "invite", "--email", "new@example.com", "--expires", "2d")
    assert run.returncode == 0
    assert len(run.stdout.split()) == 1
    assert run.stdout.strip() not in run.stderr


def test_a_key_is_its_secret_alone_on_standard_output_and_does_what_its_scopes_say(shell, admin):
    add(admin, "maker")
    shell.login("maker")
    key = shell.answered("keys", "create", "--name", "ci", "--expires", "30d")
    assert key.startswith("ocr_")
    (listed,) = shell.json("keys", "list")["keys"]
    assert listed["display_name"] == "ci"
    assert listed["scopes"] == ["SCOPE_OCR"]
    assert "expire_time" in listed
    assert key not in shell.answered("keys", "show", listed["key_id"])
    shell.answered("logout")

    assert shell.answered("extract", "scan.png", OCR_API_KEY=key).startswith("null line 1")
    assert "(INSUFFICIENT_SCOPE)" in shell.refused("keys", "list", OCR_API_KEY=key)
    assert "(KEY_INVALID)" in shell.refused("whoami", OCR_API_KEY=key[:-1])


def test_a_key_is_changed_rotated_switched_off_and_revoked(shell, admin):
    add(admin, "keeper")
    shell.login("keeper")
    made = shell.json("keys", "create", "--expires", "30d", "--scope", "ocr", "--scope", "usage")
    old, key_id = made["secret"], made["key"]["key_id"]

    changed = ("--name", "new", "--expires", "never", "--scope", "usage", "--pages-per-month", "5")
    key = shell.json("keys", "update", key_id, *changed)["key"]
    assert (key["display_name"], key["scopes"]) == ("new", ["SCOPE_USAGE"])
    assert key["limits"] == {"pages_per_month": 5}
    assert "expire_time" not in key

    new = shell.answered("keys", "rotate", key_id, "--overlap", "1h")
    assert new != old
    shell.answered("usage", OCR_API_KEY=old)
    shell.answered("usage", OCR_API_KEY=new)
    assert "state\tdisabled" in shell.answered("keys", "disable", key_id)
    time.sleep(1)
    assert "(KEY_DISABLED)" in shell.refused("usage", OCR_API_KEY=new)
    assert "state\tactive" in shell.answered("keys", "enable", key_id)
    assert "state\trevoked" in shell.answered("keys", "revoke", key_id)
    time.sleep(1)
    assert "(KEY_REVOKED)" in shell.refused("usage", OCR_API_KEY=new)
    assert shell.json("keys", "list")["keys"] == []
    assert len(shell.json("keys", "list", "--revoked")["keys"]) == 1


def test_an_administrator_sees_and_revokes_the_keys_of_others(shell, admin):
    add(admin, "first")
    add(admin, "second")
    shell.login("first")
    key_id = shell.json("keys", "create")["key"]["key_id"]
    assert key_id in admin.answered("keys", "list", "--user", "first")
    assert "(KEY_NOT_FOUND)" in admin.refused("keys", "revoke", key_id)
    assert "(KEY_NOT_FOUND)" in admin.refused("keys", "revoke", key_id, "--user", "second")
    assert "state\trevoked" in admin.answered("keys", "revoke", key_id, "--user", "first")


def test_usage_is_listed_and_summed_up_and_the_quota_is_told(shell, admin):
    add(admin, "reader", "--pages-per-month", "10")
    shell.login("reader")
    made = shell.json("keys", "create")
    shell.answered("extract", "scan.png", "scan.png", OCR_API_KEY=made["secret"])
    time.sleep(0.5)

    whole = shell.json("usage", "--by", "method")
    (pages,) = [
        group["usage"]["pages"]
        for group in whole["groups"]
        if group["group"] == "OcrService/UploadExtract"
    ]
    assert pages == whole["quota"]["used_pages"] == 2
    run = shell("usage", "summary", "--by", "kind", "--since", "1d")
    assert "png\t2\t0\t2\t" in run.stdout
    assert "2 used, 8 of 10 left" in run.stderr
    calls = shell.answered("usage", "list", "--method", "OcrService/UploadExtract", "--limit", "1")
    assert len(calls.splitlines()) == 2
    assert "\tOcrService/UploadExtract\tOK\t\tpng\t1\t" in calls
    key_id = made["key"]["key_id"]
    assert "day" not in shell.answered("keys", "usage", key_id)
    assert shell.json("keys", "usage", key_id, "--by", "day")["total"]["usage"]["pages"] == 2

    theirs = admin.json("usage", "--user", "reader", "--by", "kind")
    assert theirs["total"]["usage"]["pages"] == 2
    everybody = admin.answered("usage", "list", "--all", "--limit", "3").splitlines()
    assert everybody[0].endswith("\tKEY\tUSER")
    assert len(everybody) == 4
    assert "(OWNER_REQUIRED)" in shell.refused("usage", "--organization")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keys", "create", "--expires", "soon"], "neither a day"),
        (["keys", "create", "--scope", "everything"], "everything"),
        (["keys", "update", "id"], "Nothing to change"),
        (["users", "update", "name", "--calls-per-minute", "many"], "neither a number"),
        (["usage", "--all", "--organization"], "exclude each other"),
        (["usage", "list", "--by", "day"], "--by is for sums"),
        (["login"], "ocr-grpc login USER"),
        (["login", "ada"], "--password-stdin"),
        (["users", "add", "ada", "--password-stdin"], "no password"),
    ],
)
def test_a_mistyped_command_is_code_2(shell, words, said):
    run = shell(*words)
    assert run.returncode == 2
    assert said in " ".join(run.stderr.replace("│", " ").split())
    assert run.stdout == ""


def test_a_server_that_is_away_is_said_so_and_the_login_is_forgotten_all_the_same(shell, admin):
    assert "(UNAVAILABLE)" in shell.refused("whoami", OCR_ADDRESS="127.0.0.1:1")
    kept = admin.kept.read_text().replace(admin.address, "127.0.0.1:1")
    admin.kept.write_text(kept)
    assert "forgotten here" in admin.refused("logout", OCR_ADDRESS="127.0.0.1:1")
    assert json.loads(admin.kept.read_text()) == {}
