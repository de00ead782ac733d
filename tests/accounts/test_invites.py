"""Invitations: made, listed, deleted, sent, used once."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ocr_grpc.accounts.errors import (
    InvalidEmail,
    InvalidField,
    InviteInvalid,
    InviteNotFound,
    MailThrottled,
    OrganizationNotFound,
)
from ocr_grpc.accounts.invites import Invites
from ocr_grpc.accounts.mail import Mailer
from ocr_grpc.accounts.memberships import Memberships
from ocr_grpc.accounts.opaque import hash_of
from ocr_grpc.accounts.principal import Actor, Role
from ocr_grpc.store.accounts import InviteRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.telemetry.metrics import Metrics
from tests.accounts.support import NOBODY, all_pages, principal


class Outbox(Mailer):
    """A mailer whose mails go nowhere."""

    def __init__(self, configured: bool = True) -> None:
        super().__init__("smtp://127.0.0.1:9" if configured else "", "ocr@example.com")
        self.sent: list[tuple[str, str]] = []

    def soon(self, work) -> None:
        work.close()

    def send(self, to, subject, body):
        self.sent.append((to, body))
        return super().send(to, subject, body)


async def test_of_a_code_only_the_hash_is_kept(accounts):
    invite, code = await accounts.invites.create(Role.BUSINESS, "A@Example.com", None, 0, NOBODY)
    assert (invite.role, invite.email, invite.use_time) == (Role.BUSINESS, "A@example.com", None)
    assert invite.expire_time - invite.create_time == timedelta(days=7)
    async with accounts.database.read() as sql:
        row = await sql.scalar(select(InviteRow))
    assert row.code_hash == hash_of(code)
    assert code not in str(await accounts.events(invite.invite_id))
    assert (await accounts.invites.list())[0] == [invite]


async def test_what_can_never_be_right_is_refused(accounts):
    create = accounts.invites.create
    for seconds in (-1, 2_592_001):
        with pytest.raises(InvalidField):
            await create(Role.USER, "", None, seconds, NOBODY)
    with pytest.raises(InvalidEmail):
        await create(Role.USER, "nobody", None, 0, NOBODY)
    for organization_id in ("x", "a\0b"):
        with pytest.raises(OrganizationNotFound):
            await create(Role.USER, "", organization_id, 0, NOBODY)
    assert await accounts.invites.list() == ([], "")


async def test_a_list_goes_through_all_invitations_without_gaps(accounts):
    async with accounts.database.write() as sql:
        for _ in range(120):
            await accounts.invites.add(sql, Role.USER, "", None, 60, NOBODY)
    found = await all_pages(accounts.invites.list)
    assert len(found) == len({invite.invite_id for invite in found}) == 120
    times = [invite.create_time for invite in found]
    assert times == sorted(times, reverse=True)


async def test_a_deleted_invitation_cannot_be_used(accounts):
    invite, code = await accounts.invites.create(Role.USER, "", None, 0, NOBODY)
    await accounts.invites.delete(invite.invite_id, NOBODY)
    with pytest.raises(InviteInvalid):
        await accounts.invites.check(code, "")
    for invite_id in (invite.invite_id, "", "a\0b"):
        with pytest.raises(InviteNotFound):
            await accounts.invites.delete(invite_id, NOBODY)
    assert await accounts.actions(invite.invite_id) == ["invite.created", "invite.deleted"]


async def test_an_expired_invitation_cannot_be_used(accounts):
    _, code = await accounts.invites.create(Role.USER, "", None, 1, NOBODY)
    await accounts.invites.check(code, "")
    async with accounts.database.write() as sql:
        await sql.execute(update(InviteRow).values(expire_time=utc_now()))
    with pytest.raises(InviteInvalid):
        await accounts.invites.check(code, "")


async def test_an_invitation_is_sent_to_its_address_if_mail_can_be_sent(accounts):
    outbox = Outbox()
    invites = Invites(accounts.database, outbox)
    _, code = await invites.create(Role.USER, "anna@example.com", None, 0, NOBODY)
    [(to, body)] = outbox.sent
    assert to == "anna@example.com"
    assert code in body
    await invites.create(Role.USER, "", None, 0, NOBODY)
    assert len(outbox.sent) == 1
    silent = Outbox(configured=False)
    await Invites(accounts.database, silent).create(Role.USER, "a@example.com", None, 0, NOBODY)
    assert silent.sent == []


@pytest.fixture
async def windows(backend):
    made = RateWindows(backend.redis_url, Metrics())
    yield made
    await made.close()


async def test_nobody_is_flooded_with_invitations(accounts, windows):
    outbox = Outbox()
    invites = Invites(accounts.database, outbox, windows)
    memberships = Memberships(accounts.database, accounts.changes, invites)
    owner = await accounts.user()
    stranger = await accounts.user()
    organization_id = (await accounts.organization(owner)).organization_id
    owner, actor = principal(await accounts.users.get(owner.user_id)), Actor(principal(owner))

    async def invite(email, caller=owner):
        await memberships.invite(caller, organization_id, email, 0, actor)

    for _ in range(5):  # what a stranger tries does not count
        with pytest.raises(OrganizationNotFound):
            await invite("victim@example.com", principal(stranger))
    for email in ("victim@example.com", "Victim@example.com", "VICTIM@EXAMPLE.COM"):
        await invite(email)
    for making in (
        invite("victim@example.com"),
        invites.create(Role.USER, "victim@example.com", None, 0, NOBODY),
    ):
        with pytest.raises(MailThrottled) as refused:
            await making
        assert refused.value.retry_after_seconds >= 1
    assert len(outbox.sent) == 3


async def test_nobody_floods_all_others_with_invitations(accounts, windows):
    outbox = Outbox()
    invites = Invites(accounts.database, outbox, windows)
    actor = Actor(principal(await accounts.user(role=Role.ADMIN)))
    for number in range(10):
        await invites.create(Role.USER, f"{number}@example.com", None, 0, actor)
    with pytest.raises(MailThrottled):
        await invites.create(Role.USER, "11@example.com", None, 0, actor)
    await invites.create(Role.USER, "", None, 0, actor)  # no mail
    other = Actor(principal(await accounts.user(role=Role.ADMIN)))
    await invites.create(Role.USER, "11@example.com", None, 0, other)
    assert len(outbox.sent) == 11
