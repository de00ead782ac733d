"""The admin dashboard: users, keys, invitations, usage, health, audit log."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.people import ADMIN_NAME, ADMIN_PASSWORD, PASSWORD
from tests.web.accessibility import serious_faults
from tests.web.accounts import make_key, row, sign_in, status_with_key, taken_secret, until

SETTINGS = {"REGISTRATION": "invite"}
SECTIONS = ("Overview", "Users", "Keys", "Invitations", "Audit log")


@pytest.fixture
def admin(server) -> dict[str, str]:
    """Return the headers of an administrator's calls."""
    return server.sign_in(ADMIN_NAME, ADMIN_PASSWORD)


@pytest.fixture
def dashboard(page) -> Page:
    """Open the dashboard as its administrator."""
    sign_in(page, ADMIN_NAME, ADMIN_PASSWORD)
    page.get_by_role("link", name="Admin", exact=True).click()
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    return page


def make_user(server, admin, name: str, **fields) -> str:
    """Make a user with the password `PASSWORD`; return the id."""
    body = {"user": {"user_name": name, **fields}, "password": PASSWORD}
    answer = server.client.post("/v1/admin/users", headers=admin, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["user"]["user_id"]


def user_of(server, admin, user_id: str) -> dict:
    return server.client.get(f"/v1/admin/users/{user_id}", headers=admin).json()["user"]


def open_editor(dashboard: Page, name: str) -> None:
    dashboard.get_by_role("link", name="Users").click()
    dashboard.get_by_label("Name or address").fill(name)
    dashboard.get_by_role("button", name="Search").click()
    dashboard.get_by_role("button", name=f"Edit {name}").click()


def save(dashboard: Page) -> None:
    dashboard.get_by_role("button", name="Save").click()
    expect(dashboard.get_by_role("dialog")).to_have_count(0)


def test_the_quota_an_administrator_types_is_the_users_quota(dashboard, server, admin):
    user_id = make_user(server, admin, "ann", display_name="Ann", limits={"calls_per_minute": 9})
    open_editor(dashboard, "ann")
    dashboard.get_by_label("Pages per month").fill("4321")
    save(dashboard)
    expect(dashboard.get_by_role("row", name="ann")).to_contain_text("4,321")
    user = user_of(server, admin, user_id)
    assert user["limits"] == {"calls_per_minute": 9, "pages_per_month": 4321}
    assert user["display_name"] == "Ann"
    quota = server.client.get("/v1/usage:summary", headers=server.sign_in("ann")).json()["quota"]
    assert quota["limit_pages"] == 4321


def test_a_limit_that_is_emptied_is_the_roles_again_and_nothing_else_changes(
    dashboard, server, admin
):
    limits = {"calls_per_minute": 9, "pages_per_month": 10}
    user_id = make_user(server, admin, "bea", limits=limits)
    open_editor(dashboard, "bea")
    meanwhile = {"user": {"display_name": "Beatrice"}, "update_mask": "display_name"}
    server.client.patch(f"/v1/admin/users/{user_id}", headers=admin, json=meanwhile)
    dashboard.get_by_label("Calls per minute").fill("")
    save(dashboard)
    user = user_of(server, admin, user_id)
    assert user["limits"] == {"pages_per_month": 10}
    assert user["effective_limits"]["calls_per_minute"] == 600
    assert user["display_name"] == "Beatrice"


def test_a_user_is_made_locked_out_and_deleted(dashboard, server, admin):
    dashboard.get_by_role("link", name="Users").click()
    dashboard.get_by_role("button", name="New user").click()
    dialog = dashboard.get_by_role("dialog")
    dialog.get_by_label("User name").fill("carl")
    dialog.get_by_label("Role").select_option("Business")
    dialog.get_by_label("New password").fill(PASSWORD)
    dialog.get_by_role("button", name="Make the user").click()
    expect(dashboard.get_by_role("row", name="carl")).to_contain_text("Business")
    headers = server.sign_in("carl")
    open_editor(dashboard, "carl")
    dashboard.get_by_label("Locked out").check()
    save(dashboard)
    expect(dashboard.get_by_role("row", name="carl")).to_contain_text("Disabled")
    status = lambda: server.client.get("/v1/users/me", headers=headers).status_code  # noqa: E731
    assert until(lambda: status() == 401)
    dashboard.get_by_role("button", name="Delete carl").click()
    dashboard.get_by_role("button", name="Delete for good").click()
    expect(dashboard.get_by_text("Nobody is like that.")).to_be_visible()


def test_the_last_administrator_stays_one_and_the_form_says_why(dashboard):
    open_editor(dashboard, "admin")
    dashboard.get_by_role("dialog").get_by_label("Role").select_option("User")
    dashboard.get_by_role("button", name="Save").click()
    said = dashboard.get_by_role("dialog").get_by_role("alert")
    expect(said).to_contain_text("This is the last administrator.")


def test_many_users_go_page_by_page_and_are_searched(dashboard, server, admin):
    for number in range(22):
        make_user(server, admin, f"many-{number:02}")
    dashboard.get_by_role("link", name="Users").click()
    dashboard.get_by_label("Name or address").fill("many-")
    dashboard.get_by_role("button", name="Search").click()
    expect(dashboard.get_by_text("22 users")).to_be_visible()
    rows = dashboard.get_by_role("table", name="Users").get_by_role("row")
    expect(rows).to_have_count(21)
    dashboard.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(3)
    dashboard.get_by_label("Name or address").fill("many-07")
    dashboard.get_by_role("button", name="Search").click()
    expect(dashboard.get_by_text("1 user", exact=True)).to_be_visible()


def test_an_administrator_revokes_anybodys_key(browser, dashboard, server, admin):
    make_user(server, admin, "dan")
    context = browser.new_context(base_url=server.url)
    theirs = context.new_page()
    sign_in(theirs, "dan")
    secret = make_key(theirs, "Key of Dan")
    context.close()
    assert status_with_key(server, secret) == 200
    dashboard.get_by_role("link", name="Keys").click()
    dashboard.get_by_label("User", exact=True).fill("dan")
    dashboard.get_by_role("button", name="Show").click()
    row(dashboard, "Key of Dan").get_by_role("button", name="Revoke").click()
    dashboard.get_by_role("button", name="Revoke for good").click()
    expect(dashboard.get_by_text("There is no such key.")).to_be_visible()
    assert until(lambda: status_with_key(server, secret) == 401)


def test_somebody_registers_with_the_code_of_an_invitation(browser, dashboard, server, admin):
    dashboard.get_by_role("link", name="Invitations").click()
    dashboard.get_by_role("button", name="New invitation").click()
    dashboard.get_by_label("Role of the account").select_option("Business")
    dashboard.get_by_role("button", name="Make the invitation").click()
    code = taken_secret(dashboard, "Code")
    context = browser.new_context(base_url=server.url)
    guest = context.new_page()
    guest.goto(f"/account#register?code={code}")
    guest.get_by_label("User name").fill("erin")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Make an account").click()
    expect(guest.get_by_text("Signed in as erin")).to_contain_text("Business")
    context.close()
    dashboard.reload()
    expect(dashboard.get_by_role("row", name="anybody")).to_contain_text("by erin")


def test_without_an_invitation_registering_says_what_is_missing(page):
    page.goto("/account#register")
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of your invitation").fill("no such code")
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_label("Code of your invitation")).to_be_focused()
    expect(page.get_by_text("The invitation is unknown")).to_be_visible()


def test_the_audit_log_shows_what_was_done_and_by_whom(dashboard, server, admin):
    make_user(server, admin, "flo")
    open_editor(dashboard, "flo")
    dashboard.get_by_role("dialog").get_by_label("Role").select_option("Business")
    save(dashboard)
    dashboard.get_by_role("link", name="Audit log").click()
    dashboard.get_by_label("Action").fill("user.updated")
    dashboard.get_by_label("About").fill("flo")
    dashboard.get_by_role("button", name="Show").click()
    rows = dashboard.get_by_role("table", name="Audit log").get_by_role("row")
    expect(rows).to_have_count(2)
    for text in ("user.updated", ADMIN_NAME, "flo", "role"):
        expect(rows.nth(1)).to_contain_text(text)
    dashboard.get_by_label("Action").fill("no.such-action")
    dashboard.get_by_role("button", name="Show").click()
    expect(dashboard.get_by_text("Nothing of that kind was written down.")).to_be_visible()


def test_the_overview_shows_health_figures_and_everybodys_calls(dashboard):
    for part in ("Database", "Engine", "Ledger", "HTTP"):
        tile = dashboard.get_by_role("listitem").filter(has_text=re.compile(f"^{part}"))
        expect(tile).to_contain_text("OK")
    expect(dashboard.get_by_role("definition").first).to_have_text(re.compile(r"^\d+$"))
    dashboard.get_by_label("Count").select_option("Calls")
    users = dashboard.get_by_role("table", name="calls by user")
    expect(users.get_by_role("row", name=ADMIN_NAME)).to_be_visible()
    expect(dashboard.get_by_role("table", name="Recent calls")).to_contain_text("AdminService/")


def test_who_is_no_administrator_sees_no_dashboard(page, server, admin):
    make_user(server, admin, "gus")
    page.goto("/admin")
    expect(page.get_by_text("This page is for administrators.")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("User name or e-mail address").fill("gus")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.url}/admin")
    expect(page.get_by_text("gus is not one")).to_be_visible()
    expect(page.get_by_role("link", name="Admin", exact=True)).to_be_hidden()
    expect(page.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_the_admin_page(page, server, admin, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto("/admin")
    expect(page.get_by_text("This page is for administrators.")).to_be_visible()
    assert serious_faults(page) == []
    sign_in(page, ADMIN_NAME, ADMIN_PASSWORD)
    page.goto("/admin")
    for section in SECTIONS:
        page.get_by_role("link", name=section).click()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert serious_faults(page) == [], section
    open_editor(page, ADMIN_NAME)
    assert serious_faults(page) == []


def test_nothing_of_the_dashboard_scrolls_sideways_on_a_phone(dashboard):
    dashboard.set_viewport_size({"width": 390, "height": 844})
    for section in SECTIONS:
        dashboard.get_by_role("link", name=section).click()
        expect(dashboard.get_by_text("Loading…")).to_have_count(0)
        assert dashboard.evaluate("document.documentElement.scrollWidth <= innerWidth"), section
