"""The pages of a server that asks nobody to sign in."""

from playwright.sync_api import expect

from tests.web.accounts import make_key

SETTINGS = {"AUTH_ENABLED": "false"}


def test_everybody_has_the_account_and_the_dashboard_of_the_anonymous_administrator(page):
    page.goto("/account")
    expect(page.get_by_text("This server asks nobody to sign in")).to_be_visible()
    assert make_key(page, "For later").startswith("ocr_")
    page.get_by_role("link", name="Admin", exact=True).click()
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
