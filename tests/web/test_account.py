"""The account page: signing up and in, keys, usage, and what it shows when something is wrong."""

import re

import pytest
from playwright.sync_api import expect

from tests.people import PASSWORD
from tests.support import encoded, picture
from tests.web.accessibility import serious_faults
from tests.web.accounts import make_key, row, sign_in, status_with_key, taken_secret, until

SECTIONS = ("API keys", "Usage", "Profile")


def test_somebody_registers_and_is_signed_in(page, server):
    page.goto("/account#register")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_text("Signed in as ann")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    me = server.client.get("/v1/users/me", headers=server.sign_in("ann")).json()["user"]
    assert (me["user_name"], me["email"]) == ("ann", "ann@example.com")


def test_a_key_made_here_calls_the_service_until_it_is_revoked_here(page, server):
    server.register("bob")
    sign_in(page, "bob")
    secret = make_key(page, "Scanner in the hall")
    assert secret.startswith("ocr_")
    assert secret not in page.content()
    assert status_with_key(server, secret) == 200
    row(page, "Scanner in the hall").get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke for good").click()
    expect(page.get_by_text("There is no key yet.")).to_be_visible()
    assert until(lambda: status_with_key(server, secret) == 401)
    page.get_by_label("Show revoked keys").check()
    expect(row(page, "Scanner in the hall").get_by_text("Revoked", exact=True)).to_be_visible()


def test_a_key_is_renamed_switched_off_and_rotated(page, server):
    server.register("cleo")
    sign_in(page, "cleo")
    old = make_key(page, "Old name")
    row(page, "Old name").get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("New name")
    page.get_by_role("button", name="Save").click()
    row(page, "New name").get_by_role("button", name="Switch off").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(row(page, "New name").get_by_text("Switched off")).to_be_visible()
    assert until(lambda: status_with_key(server, old) == 401)
    row(page, "New name").get_by_role("button", name="Switch on").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    expect(row(page, "New name").get_by_text("Active")).to_be_visible()
    row(page, "New name").get_by_role("button", name="Rotate").click()
    page.get_by_label("The old secret works on for").select_option("no time: it stops at once")
    page.get_by_role("button", name="Make a new secret").click()
    new = taken_secret(page, "API key")
    assert until(lambda: status_with_key(server, old) == 401)
    assert status_with_key(server, new) == 200


def test_a_key_gets_the_scopes_the_limits_and_the_end_that_were_chosen(page, server):
    owner = server.register("dora")
    sign_in(page, "dora")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Bounded")
    expect(dialog.get_by_label("Administer everything")).to_have_count(0)
    dialog.get_by_label("Make and change keys").check()
    dialog.get_by_label("It expires").select_option("In 30 days")
    dialog.get_by_text("Limits of its own").click()
    dialog.get_by_label("Pages per month").fill("12")
    dialog.get_by_role("button", name="Make the key").click()
    taken_secret(page, "API key")
    (key,) = server.client.get("/v1/keys", headers=owner).json()["keys"]
    assert key["scopes"] == ["SCOPE_OCR", "SCOPE_KEYS"]
    assert key["limits"] == {"pages_per_month": 12}
    assert key["expire_time"] > key["create_time"]


def test_usage_shows_what_was_read_of_the_quota_and_by_what(page, server):
    owner = server.register("eve")
    sign_in(page, "eve")
    secret = make_key(page, "Reader")
    headers = {"x-api-key": secret, "content-type": "image/png"}
    read = server.client.post("/v1/ocr:upload", headers=headers, content=encoded(picture()))
    assert read.status_code == 200
    total = lambda: server.client.get("/v1/usage:summary", headers=owner).json()["total"]  # noqa: E731
    assert until(lambda: total()["usage"]["pages"] == 1)
    page.get_by_role("link", name="Usage").click()
    expect(page.get_by_text("1 page of 5,000 read")).to_be_visible()
    chart = page.get_by_role("img", name=re.compile("^1 pages in"))
    expect(chart.locator("rect[height='100']")).to_have_count(1)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table", name="pages by day").get_by_role("row")).to_have_count(2)
    for table, name in (("call", "OcrService"), ("key", "Reader"), ("format", "PNG")):
        found = page.get_by_role("table", name=f"pages by {table}")
        expect(found.get_by_role("row", name=re.compile(name))).to_contain_text("1")
    page.get_by_label("Calls", exact=True).select_option("Uploaded documents")
    calls = page.get_by_role("table", name="Recent calls").get_by_role("row")
    expect(calls).to_have_count(2)
    expect(calls.nth(1)).to_contain_text("Reader")


def test_a_long_list_of_calls_goes_page_by_page(page, server):
    owner = server.register("fay")
    for _ in range(25):
        server.client.get("/v1/users/me", headers=owner)
    sign_in(page, "fay")
    page.get_by_role("link", name="Usage").click()
    rows = page.get_by_role("table", name="Recent calls").get_by_role("row")
    expect(rows).to_have_count(21)
    page.get_by_role("button", name="Older").click()
    expect(rows).not_to_have_count(21)
    page.get_by_role("button", name="Newer").click()
    expect(rows).to_have_count(21)


def test_a_wrong_password_is_said_and_the_name_stays(page, server):
    server.register("gil")
    page.goto("/account")
    page.get_by_label("User name or e-mail address").fill("gil")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("User name or password are wrong.")
    expect(page.get_by_label("User name or e-mail address")).to_have_value("gil")


def test_what_is_wrong_with_a_field_is_said_beside_it_and_it_gets_the_focus(page, server):
    server.register("hal")
    page.goto("/account#register")
    name, password = page.get_by_label("User name"), page.get_by_label("Password")
    page.get_by_role("button", name="Make an account").click()
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(password).to_have_attribute("aria-invalid", "true")
    name.fill("hal")
    password.fill("short")
    page.get_by_role("button", name="Make an account").click()
    expect(password).to_be_focused()
    expect(password).to_have_accessible_description(re.compile("at least 8 characters"))
    expect(name).not_to_have_attribute("aria-invalid", "true")
    password.fill(PASSWORD)
    page.get_by_role("button", name="Make an account").click()
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description(re.compile("The user name is taken"))


def test_the_profile_and_the_password_are_changed(page, server):
    owner = server.register("ida")
    sign_in(page, "ida")
    page.get_by_role("link", name="Profile").click()
    page.get_by_label("How you like to be called").fill("Ida B.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Signed in as Ida B.")).to_be_visible()
    page.get_by_label("Password until now").fill("not the password")
    page.get_by_label("New password").fill("another good one")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_label("Password until now")).to_be_focused()
    page.get_by_label("Password until now").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("All your other sessions were ended.")).to_be_visible()
    assert server.client.get("/v1/users/me", headers=owner).status_code == 401
    server.sign_in("ida", "another good one")
    page.reload()
    expect(page.get_by_text("Signed in as Ida B.")).to_be_visible()


def test_a_token_of_a_mail_is_filled_in_and_leaves_the_address_bar(page):
    page.goto("/account#reset?token=a-token-from-a-mail")
    expect(page.get_by_label("Token of the mail")).to_have_value("a-token-from-a-mail")
    expect(page).to_have_url(re.compile("/account#reset$"))
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("This server sends no mail")


def test_a_key_is_made_and_a_dialog_left_by_keyboard_alone(page, server):
    server.register("jim")
    sign_in(page, "jim")
    opener = page.get_by_role("button", name="New key")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="New key")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Typed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Your key")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, "Typed")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_the_account_page(page, server, scheme):
    page.emulate_media(color_scheme=scheme)
    for form in ("login", "register", "forgot", "reset", "verify"):
        page.goto(f"/account#{form}")
        expect(page.locator("form")).to_be_visible()
        assert serious_faults(page) == [], form
    server.register(f"axe-{scheme}")
    sign_in(page, f"axe-{scheme}")
    make_key(page, "A key")
    for section in SECTIONS:
        page.get_by_role("link", name=section).click()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert serious_faults(page) == [], section
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("button", name="New key").click()
    assert serious_faults(page) == []


def test_nothing_of_the_account_scrolls_sideways_on_a_phone(page, server):
    server.register("kim")
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "kim")
    make_key(page, "A key with a name that is as long as names of keys like to become " * 2)
    for section in SECTIONS:
        page.get_by_role("link", name=section).click()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), section
