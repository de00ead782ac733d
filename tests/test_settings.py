import re
from pathlib import Path

import pytest

from ocr_grpc.commands.settings import page, shown
from ocr_grpc.settings import Settings, SettingsError, load_settings

EXAMPLE = (Path(__file__).parent.parent / ".env.example").read_text()


def test_the_example_lists_every_setting_with_its_default(monkeypatch):
    listed = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    for name in listed:
        monkeypatch.delenv(name, raising=False)
    assert set(listed) == {name.upper() for name in Settings.model_fields}
    assert Settings(_env_file=None) == Settings(
        _env_file=None, **{name.lower(): value for name, value in listed.items()}
    )


def test_the_page_in_docs_is_what_the_settings_are():
    written = (Path(__file__).parent.parent / "docs" / "settings.md").read_text()
    assert written == page(), "Run: make settings"


def test_no_secret_is_shown():
    assert shown(Settings(_env_file=None, secret_key="x" * 40).secret_key) == "***"
    assert (
        shown("http://ann:geheim@models.example.com/v1") == "http://ann:***@models.example.com/v1"
    )


def test_a_wrong_setting_is_named_with_its_fix(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRPC_PORT", "99999")
    monkeypatch.setenv("ENGINE_BACKEND", "magic")
    with pytest.raises(SettingsError) as wrong:
        load_settings()
    message = str(wrong.value)
    assert "GRPC_PORT: Input should be less than or equal to 65535" in message
    assert "ENGINE_BACKEND" in message
    assert ".env.example" in message


def test_settings_come_from_a_file_and_the_environment_wins(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("MAX_PAGES=7\nPAGES_AT_ONCE=2\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("MAX_PAGES", "8")
    settings = load_settings()
    assert (settings.max_pages, settings.pages_at_once) == (8, 2)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://ocr@host:geheim/ocr"),
        ("DATABASE_URL", "postgresql://ocr@host:65536/ocr"),
        ("REDIS_URL", "redis://:geheim/7@host/0"),
        ("REDIS_URL", "redis://host:99999/0"),
        ("SMTP_URL", "smtp://geheim:geheim#@host:587"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file:ocr.db?uri=true"),
    ],
)
def test_an_address_nobody_can_use_is_refused_without_its_password(
    monkeypatch, tmp_path, name, url
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, url)
    with pytest.raises(SettingsError, match=f"^{name}: ") as wrong:
        load_settings()
    assert "geheim" not in str(wrong.value)


def test_addresses_with_odd_passwords_and_places_are_taken():
    for url in (
        "postgresql://ocr:a#b/c@host/ocr",
        "postgresql://ocr@/ocr?host=/run",
        "sqlite:///a",
    ):
        assert Settings(_env_file=None, database_url=url).database_url.get_secret_value() == url
    for url in ("redis://:a%2Fb@host/0", "unix:///run/redis.sock", "rediss://[::1]:6379"):
        assert Settings(_env_file=None, redis_url=url).redis_url.get_secret_value() == url


TOKEN = "a shared secret of thirty-two characters"


def test_a_token_from_a_file_loses_the_white_space_at_its_ends():
    settings = Settings(_env_file=None, engine_token=f" {TOKEN}\r\n")
    assert settings.engine_token.get_secret_value() == TOKEN


@pytest.mark.parametrize("token", ["ü" * 40, TOKEN + "\n" + TOKEN, TOKEN[:31], "x" * 1025])
def test_a_token_that_no_header_can_hold_is_refused_without_being_shown(
    monkeypatch, tmp_path, token
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENGINE_TOKEN", token)
    with pytest.raises(SettingsError, match=r"ENGINE_TOKEN: .* characters") as wrong:
        load_settings()
    assert token not in str(wrong.value)


@pytest.mark.parametrize("endpoints", ["", ",", " , "])
def test_a_server_without_workers_needs_endpoints(monkeypatch, tmp_path, endpoints):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENGINE_WORKERS", "-1")
    monkeypatch.setenv("ENGINE_ENDPOINTS", endpoints)
    with pytest.raises(SettingsError, match="nobody else would read"):
        load_settings()
