"""What people do on the account and admin pages, step by step."""

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.people import PASSWORD
from tests.web.conftest import Site

SESSION = "ocr.session"
"""The name under which a tab keeps its session."""

SCOPES_OF_PROGRAMS = ("Read documents", "See usage and quota")


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Sign in on the account page and wait until that is done."""
    page.goto("/account")
    page.get_by_label("User name or e-mail address").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as")).to_be_visible()


def make_key(page: Page, name: str) -> str:
    """Make a key that reads documents and usage; return its secret, which is shown once."""
    page.goto("/account#keys")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    for scope in SCOPES_OF_PROGRAMS:
        dialog.get_by_label(scope).check()
    dialog.get_by_role("button", name="Make the key").click()
    return taken_secret(page, "API key")


def taken_secret(page: Page, label: str) -> str:
    """Return the secret a dialog shows, and close it."""
    field = page.get_by_role("dialog").get_by_label(label, exact=True)
    expect(field).not_to_have_value("")
    secret = field.input_value()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return secret


def row(page: Page, name: str) -> Locator:
    """Return the row of a key in a list."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def kept_session(page: Page) -> dict[str, Any]:
    """Return what the tab keeps of its session."""
    return json.loads(page.evaluate(f"sessionStorage.getItem({SESSION!r})"))


def keep_session(page: Page, session: dict[str, Any]) -> None:
    """Put a session into the tab; a page that is loaded afterwards finds it."""
    page.evaluate(f"text => sessionStorage.setItem({SESSION!r}, text)", json.dumps(session))


def status_with_key(server: Site, secret: str) -> int:
    return server.client.get("/v1/usage", headers={"x-api-key": secret}).status_code


def until(found: Callable[[], bool], seconds: float = 30) -> bool:
    """Return whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not (right := found()) and time.monotonic() < end:
        time.sleep(0.02)
    return right
