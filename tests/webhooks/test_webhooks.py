"""Making, changing and deleting webhooks, against a real address that answers or does not."""

import asyncio
import base64
import json
from collections import Counter

import pytest

from ocr_grpc.accounts.errors import FieldNotUpdatable, InvalidField
from ocr_grpc.errors import OcrError
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.webhooks import WebhookRow
from ocr_grpc.webhooks import deliveries, webhooks
from ocr_grpc.webhooks.errors import (
    TooManyVerifications,
    TooManyWebhooks,
    WebhookNotFound,
    WebhookNotVerified,
)
from ocr_grpc.webhooks.verification import Verifications
from ocr_grpc.webhooks.webhook_rows import NewWebhook
from tests.webhooks.receiver import Receiver, answer, hang, welcome
from tests.webhooks.support import ACTOR, House, poster, until


async def refusal(house: House, user_id: str, url: str) -> OcrError:
    with pytest.raises(OcrError) as refused:
        await house.make(user_id, url)
    assert await house.webhooks.list(user_id) == ([], "")
    return refused.value


async def test_a_webhook_is_made_once_its_address_returns_the_challenge(house, receiver):
    ada = await house.user()
    webhook, secret = await house.make(ada, receiver.url("/hook?token=hidden"))
    [asked] = receiver.all
    assert asked.path == "/hook?token=hidden"
    assert asked.message["type"] == "webhook.verification"
    assert asked.message["timestamp"].endswith("Z")
    assert asked.headers["content-type"] == "application/json"
    assert asked.is_signed_with(secret)
    assert webhook.events == ("batch.finished",)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert await house.webhooks.get(ada, webhook.webhook_id) == webhook
    assert await house.webhooks.list(ada) == ([webhook], "")
    async with house.database.read() as session:
        row = await session.get_one(WebhookRow, webhook.webhook_id)
    assert secret.removeprefix("whsec_").encode() not in row.secret
    [event] = await house.audit(webhook.webhook_id)
    assert (event.action, event.details["host"]) == ("webhook.created", "127.0.0.1")
    assert "hidden" not in json.dumps(event.details)


async def wrong_challenge(writer, _):
    answer(writer, 200, '{"challenge": "another secret word"}')


async def late_challenge(writer, received):
    answer(writer, 200, " " * 64 * 1024 + received.message["data"]["challenge"])


async def endless(writer, _):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"secret word " * 1000)
        await writer.drain()


async def refused_with_challenge(writer, received):
    answer(writer, 500, received.message["data"]["challenge"])


async def redirect(writer, _):
    answer(writer, 307, "", "Location: /hook")


async def no_http(writer, _):
    writer.write(b"220 a secret word\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "why", "status"),
    [
        (wrong_challenge, "does not contain the challenge", "200"),
        (late_challenge, "does not contain the challenge", "200"),
        (endless, "does not contain the challenge", "200"),
        (refused_with_challenge, "the status 500", "500"),
        (redirect, "Redirects are not followed", "307"),
        (no_http, "does not answer as HTTP says", "0"),
        (hang, "within 0.5 seconds", "0"),
    ],
)
async def test_an_address_that_does_not_return_the_challenge_is_refused(
    small_house, receiver: Receiver, behaviour, why, status
):
    ada = await small_house.user()
    receiver.behaviours["/bad"] = behaviour
    seconds = 0.5 if behaviour is hang else 60.0
    house = House(small_house.database, poster(timeout_seconds=seconds))
    refused = await refusal(house, ada, receiver.url("/bad"))
    assert refused.reason == "WEBHOOK_NOT_VERIFIED"
    assert why in refused.message
    assert refused.metadata == {"http_status": status}
    assert "secret word" not in refused.message
    assert len(receiver.all) <= 1


async def test_where_nobody_listens_no_webhook_is_made(small_house, receiver):
    ada = await small_house.user()
    refused = await refusal(small_house, ada, "http://127.0.0.1:1/hook")
    assert refused.reason == "WEBHOOK_NOT_VERIFIED"


async def test_private_addresses_are_refused_by_default_also_when_a_name_leads_to_one(
    small_house, receiver
):
    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "inside.example" else ["10.0.0.1"]

    ada = await small_house.user()
    for options in ({}, {"resolve": lookup}):
        house = House(small_house.database, poster(private=False, **options))
        for host in ("127.0.0.1", "localhost", "[::1]", "inside.example"):
            if host == "inside.example" and not options:
                continue
            refused = await refusal(house, ada, f"https://{host}:{receiver.port}/hook")
            assert refused.reason == "URL_NOT_ALLOWED", host
            assert refused.metadata["setting"] == "WEBHOOK_HOSTS"
    refused = await refusal(house, ada, receiver.url(host="inside.example"))
    assert refused.metadata["setting"] == "WEBHOOK_PRIVATE"
    assert receiver.all == []


@pytest.mark.parametrize(
    ("hosts", "url", "reason"),
    [
        ("", "https://hooks.example.com/", "URL_NOT_ALLOWED"),
        ("*", "https://hooks.example.com:8443/", "URL_NOT_ALLOWED"),
        ("hooks.example.com", "https://other.example.com/", "URL_NOT_ALLOWED"),
        ("https://*:*", "http://hooks.example.com/", "URL_NOT_ALLOWED"),
        ("*:*", "https://169.254.169.254/latest", "URL_NOT_ALLOWED"),
        ("*:*", "https://me:secret@hooks.example.com/", "INVALID_URL"),
        ("*:*", "ftp://hooks.example.com/", "INVALID_URL"),
        ("*:*", "hooks.example.com", "INVALID_URL"),
        ("*:*", "", "INVALID_URL"),
    ],
)
async def test_addresses_outside_the_list_are_refused_even_where_private_ones_are_allowed(
    small_house, hosts, url, reason
):
    ada = await small_house.user()
    refused = await refusal(House(small_house.database, poster(hosts)), ada, url)
    assert refused.reason == reason
    assert "secret" not in refused.message


@pytest.mark.parametrize("entry", ["{host}:{port}", "http://{host}:{port}", "*:{port}", "{host}:*"])
async def test_a_port_of_ones_own_is_allowed_by_naming_it(small_house, receiver, entry):
    ada = await small_house.user()
    hosts = entry.format(host="127.0.0.1", port=receiver.port)
    house = House(small_house.database, poster(hosts))
    assert (await house.make(ada, receiver.url()))[0].url == receiver.url()


async def test_only_a_new_address_is_asked_again(small_house, receiver):
    house, ada = small_house, await small_house.user()
    made, secret = await house.make(ada, receiver.url())
    changes = {
        "url": receiver.url(),
        "display_name": "mine",
        "disabled": True,
        "events": ("document.finished", "batch.finished"),
    }
    changed = await house.webhooks.update(ada, made.webhook_id, changes, ACTOR)
    assert (changed.display_name, changed.disabled) == ("mine", True)
    assert changed.events == ("batch.finished", "document.finished")
    assert len(receiver.all) == 1
    receiver.answers("/bad", 200)
    for url, error in ((receiver.url("/bad"), WebhookNotVerified), ("", OcrError)):
        with pytest.raises(error):
            await house.webhooks.update(ada, made.webhook_id, {"url": url}, ACTOR)
    assert (await house.webhooks.get(ada, made.webhook_id)).url == receiver.url()
    await house.webhooks.update(ada, made.webhook_id, {"url": receiver.url("/new")}, ACTOR)
    assert receiver.all[-1].path == "/new"
    assert receiver.all[-1].is_signed_with(secret)
    events = await house.audit(made.webhook_id)
    assert [event.action for event in events] == ["webhook.created"] + 2 * ["webhook.updated"]


async def test_values_that_can_never_be_right_are_refused_before_anybody_is_asked(
    small_house, receiver
):
    house, ada = small_house, await small_house.user()
    for new in (
        NewWebhook(receiver.url(), display_name="x" * 129),
        NewWebhook(receiver.url(), events=("batch.begun",)),
    ):
        with pytest.raises(InvalidField):
            await house.webhooks.create(ada, new, ACTOR)
    assert receiver.all == []
    [webhook_id] = await house.keep(ada, receiver.url())
    with pytest.raises(FieldNotUpdatable):
        await house.webhooks.update(ada, webhook_id, {"secret": "whsec_"}, ACTOR)
    for seconds in (-1, 30 * 86_400 + 1):
        with pytest.raises(InvalidField):
            await house.webhooks.rotate(ada, webhook_id, seconds, ACTOR)


async def test_webhooks_of_others_do_not_exist(small_house):
    house, ada, bob = small_house, await small_house.user(), await small_house.user("bob")
    [webhook_id] = await house.keep(ada, "https://hooks.example.com/")
    await house.tell(ada)
    [delivery] = await house.log(ada, webhook_id)
    for asked in (webhook_id, "x" * 40, "", "\0"):
        user_id = bob if asked == webhook_id else ada
        for attempt in (
            house.webhooks.get(user_id, asked),
            house.webhooks.update(user_id, asked, {"disabled": True}, ACTOR),
            house.webhooks.rotate(user_id, asked, 0, ACTOR),
            house.webhooks.delete(user_id, asked, ACTOR),
            house.deliveries.list(user_id, asked),
            house.deliveries.resend(user_id, asked, delivery.delivery_id),
        ):
            with pytest.raises(WebhookNotFound):
                await attempt
    assert await house.webhooks.list(bob) == ([], "")


async def test_nobody_has_more_than_twenty_not_even_with_many_calls_at_once(house, receiver):
    ada, bob = await house.user(), await house.user("bob")
    await house.keep(ada, receiver.url(), 19)
    all_asked = asyncio.Event()

    async def together(writer, received):
        if len(receiver.all) == 8:
            all_asked.set()
        await all_asked.wait()
        await welcome(writer, received)

    receiver.behaviours["/late"] = together
    servers = [House(house.database) for _ in range(8)]  # each asks for her once at a time
    made = await asyncio.gather(
        *(each.make(ada, receiver.url("/late")) for each in servers), return_exceptions=True
    )
    assert Counter(type(each) for each in made) == {tuple: 1, TooManyWebhooks: 7}
    asked = len(receiver.all)
    with pytest.raises(TooManyWebhooks):
        await house.make(ada, receiver.url())
    assert len(receiver.all) == asked
    await house.make(bob, receiver.url())
    first, token = await house.webhooks.list(ada, 15)
    rest, end = await house.webhooks.list(ada, 15, token)
    assert (len(first), len(rest), end) == (15, 5, "")
    assert len({each.webhook_id for each in first + rest}) == 20


async def test_one_address_of_each_user_is_asked_at_a_time_and_eight_in_all(small_house, receiver):
    house, users = small_house, [await small_house.user(f"user{number}") for number in range(10)]
    asked, go_on = asyncio.Queue(), asyncio.Event()

    async def later(writer, received):
        asked.put_nowait(received)
        await go_on.wait()
        await welcome(writer, received)

    receiver.behaviours["/late"] = later
    url = receiver.url("/late")
    making = [asyncio.create_task(house.make(user, url)) for user in users[:8]]
    async with asyncio.timeout(60):
        for _ in making:
            await asked.get()
    for user in (users[0], users[9]):
        with pytest.raises(TooManyVerifications) as refused:
            await house.make(user, url)
        assert refused.value.retry_after_seconds > 0
    with pytest.raises(OcrError) as refused:  # what is no address is said to be none
        await house.make(users[9], "nowhere")
    assert refused.value.reason == "INVALID_URL"
    go_on.set()
    await asyncio.gather(*making)
    made, _ = await house.make(users[9], url)
    [kept] = await house.keep(users[0], receiver.url())
    assert await house.webhooks.update(users[0], kept, {"url": url}, ACTOR)
    assert len(receiver.all) == 10
    assert made.url == url


async def test_twenty_addresses_of_a_user_are_asked_in_ten_minutes(receiver):
    now = 1_000.0
    receiver.answers("/bad", 200)
    verifications = Verifications(poster(), lambda: now)
    for _ in range(20):
        with pytest.raises(WebhookNotVerified):
            await verifications.verify("ada", receiver.url("/bad"), [])
        now += 1
    with pytest.raises(TooManyVerifications) as refused:
        await verifications.verify("ada", receiver.url(), [])
    assert refused.value.retry_after_seconds == 600 - 20
    await verifications.verify("bob", receiver.url(), [])
    now += refused.value.retry_after_seconds
    await verifications.verify("ada", receiver.url(), [])
    assert len(receiver.all) == 22


async def test_a_webhook_is_deleted_with_its_deliveries(house):
    ada = await house.user()
    [webhook_id] = await house.keep(ada, "https://hooks.example.com/")
    await house.tell(ada, 3)
    assert len(await house.rows()) == 3
    await house.webhooks.delete(ada, webhook_id, ACTOR)
    assert await house.rows() == []
    assert await house.webhooks.list(ada) == ([], "")
    assert [event.action for event in await house.audit(webhook_id)] == ["webhook.deleted"]


async def test_a_webhook_with_many_deliveries_is_gone_at_once_and_they_go_in_portions(
    house, receiver, monkeypatch
):
    for module in (deliveries, webhooks):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(deliveries, "PORTIONS_OF_A_SWEEP", 2)
    ada = await house.user()
    [webhook_id, other] = await house.keep(ada, receiver.url(), 2)
    await house.tell(ada, 9)
    await house.webhooks.delete(ada, webhook_id, ACTOR)

    async def left() -> int:
        return sum(row.webhook_id == webhook_id for row in await house.rows())

    assert await left() == 7  # no more in one transaction
    assert [each.webhook_id for each in (await house.webhooks.list(ada))[0]] == [other]
    with pytest.raises(WebhookNotFound):
        await house.deliveries.list(ada, webhook_id)
    async with house.database.read() as session:
        row = await session.get_one(WebhookRow, webhook_id)
    assert (row.user_id, row.url, row.secret, row.old_secret) == ("", "", b"", None)
    await house.tell(ada)  # the other one alone
    assert await left() == 7
    async with house.sending():

        async def all_sent() -> bool:
            return not any(row.state == "waiting" for row in await house.rows())

        await until(all_sent)
    assert len(receiver.messages) == 10
    counts = []
    for _ in range(3):
        async with house.database.write() as session:
            counts.append(await deliveries.sweep(session, utc_now()))
    assert counts == [4, 3 + 1, 0]  # the webhook last
    async with house.database.read() as session:
        assert await session.get(WebhookRow, webhook_id) is None
    assert len(await house.rows()) == 10
    assert [event.action for event in await house.audit(webhook_id)] == ["webhook.deleted"]
