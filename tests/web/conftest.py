"""A real browser before a real server; one of each per module."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.people import ADMIN_PASSWORD, PASSWORD
from tests.processes import serve_http

CHROMIUM = shutil.which("chromium")
DEADLINE_MS = 60_000
"""How long the browser waits for anything; a real engine reads meanwhile, beside other tests."""


@dataclass(frozen=True)
class Site:
    """A server as a browser sees it.

    Attributes:
        url: where its pages are, without a slash at the end.
        folder: where its data and `serve.log` are.
        client: calls it by REST.
    """

    url: str
    folder: Path
    client: httpx.Client

    def register(self, name: str) -> dict[str, str]:
        """Make a user with the password `PASSWORD`; return the headers of their calls."""
        body = {"user_name": name, "password": PASSWORD}
        assert self.client.post("/v1/auth/register", json=body).status_code == 200
        return self.sign_in(name)

    def sign_in(self, name: str, password: str = PASSWORD) -> dict[str, str]:
        body = {"user_name": name, "password": password}
        answer = self.client.post("/v1/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        return {"authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture(scope="module")
def server(request, tmp_path_factory) -> Iterator[Site]:
    """Run a server with accounts, unless `SETTINGS` of the module say otherwise."""
    folder = tmp_path_factory.mktemp("web")
    settings = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD}
    settings |= {"ANONYMOUS_CALLS_PER_MINUTE": "0"}
    settings |= getattr(request.module, "SETTINGS", {})
    with (
        serve_http(folder, **settings) as (_, _, url),
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield Site(url, folder, client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing = "there is no `chromium` on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser, server) -> Iterator[Page]:
    """Open a window of somebody who was never here; a fault in a script fails the test."""
    context = browser.new_context(base_url=server.url, color_scheme="light")
    context.set_default_timeout(DEADLINE_MS)
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Refused calls are written there too; what the page makes of them is for the tests.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", heard)
    yield opened
    context.close()
    assert faults == []
