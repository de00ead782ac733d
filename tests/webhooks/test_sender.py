"""What is sent, when, and how often: senders on real databases, against a real address."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from structlog.testing import capture_logs

from ocr_grpc.accounts.errors import NotFound
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.webhooks import DeliveryRow, WebhookRow
from ocr_grpc.webhooks import deliveries
from ocr_grpc.webhooks.attempts import Ending, delay_after, record, take_due
from ocr_grpc.webhooks.deliveries import PORTIONS_OF_A_SWEEP, ROWS_AT_ONCE, sweep
from ocr_grpc.webhooks.errors import WebhookDisabled
from ocr_grpc.webhooks.load import Load
from ocr_grpc.webhooks.outbox import Notice, announce
from ocr_grpc.webhooks.retention import OldDeliveries
from tests.webhooks.receiver import Receiver, answer
from tests.webhooks.support import ACTOR, House, until


async def attempted(house: House, times: int) -> DeliveryRow:
    """Wait until the only message was tried so often, and that is recorded."""

    async def recorded() -> bool:
        return len((await house.rows())[0].attempts) >= times

    await until(recorded)
    [row] = await house.rows()
    return row


async def stands(house: House, state: str) -> None:
    """Wait until all messages stand somewhere."""

    async def there() -> bool:
        return all(row.state == state for row in await house.rows())

    await until(there)


async def test_a_message_is_sent_and_signed(house, receiver):
    ada = await house.user()
    webhook, secret = await house.make(ada, receiver.url())
    await house.tell(ada, event_type="document.finished")
    await house.tell(ada, batch_id="batch0", display_name="Mäppchen")
    async with house.sending():
        [received] = await receiver.has(1)
        await stands(house, "delivered")
    assert received.is_signed_with(secret)
    assert received.headers["content-type"] == "application/json"
    assert received.message["type"] == "batch.finished"
    assert received.message["data"] == {"batch_id": "batch0", "display_name": "Mäppchen"}
    [delivery] = await house.log(ada, webhook.webhook_id)
    assert delivery.delivery_id == received.message_id
    assert delivery.body == received.body
    assert delivery.next_attempt_time is None
    assert [(each.status, each.problem) for each in delivery.attempts] == [(200, "")]
    assert house.attempts("delivered") == 1


async def test_what_is_rolled_back_is_never_told(house, receiver):
    ada = await house.user()
    await house.keep(ada, receiver.url())

    async def change_ones_mind() -> None:
        async with house.database.write() as session:
            await announce(session, [Notice(ada, "batch.finished", "batch", {}, utc_now())])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_ones_mind()
    assert await house.rows() == []


async def test_a_webhook_deleted_meanwhile_takes_nothing_down_with_it(house):
    ada = await house.user()
    gone, stays = await house.keep(ada, "https://hooks.example.com/", 2)
    async with house.database.write() as session:
        await session.execute(delete(WebhookRow).where(WebhookRow.webhook_id == gone))
        telling = asyncio.create_task(house.tell(ada))
        await asyncio.sleep(0.2)  # it waits for this transaction, whenever it began
    await telling
    assert [row.webhook_id for row in await house.rows()] == [stays]


async def test_only_webhooks_that_want_to_be_told_are(house, receiver):
    people = {name: await house.user(name) for name in ("ada", "bob", "eve", "kim")}
    for name, user_id in people.items():
        await house.make(user_id, receiver.url(f"/{name}"), "document.finished")
    await house.make(people["ada"], receiver.url("/both"), "document.finished", "batch.finished")
    [off] = await house.keep(people["ada"], receiver.url("/off"))
    await house.change(WebhookRow, off, disabled=True, events="document.finished")
    await house.change(UserRow, people["eve"], disabled=True)
    await house.change(UserRow, people["kim"], delete_time=utc_now())
    now = await house.clock()
    async with house.database.write() as session:
        await announce(session, [])
        await announce(
            session,
            [
                Notice(people[name], event_type, "batch", {}, now)
                for name in ("ada", "eve", "kim")
                for event_type in ("document.finished", "batch.finished")
            ],
        )
    async with house.sending():
        await receiver.has(3)
        await stands(house, "delivered")
    told = Counter((each.path, each.message["type"]) for each in receiver.messages)
    assert told == {
        ("/ada", "document.finished"): 1,
        ("/both", "document.finished"): 1,
        ("/both", "batch.finished"): 1,
    }


async def test_after_a_rotation_both_secrets_sign_for_a_while(small_house, receiver):
    house, ada = small_house, await small_house.user()
    webhook, old = await house.make(ada, receiver.url())
    _, new, ends = await house.webhooks.rotate(ada, webhook.webhook_id, 3_600, ACTOR)
    assert timedelta(0) < ends - utc_now() <= timedelta(hours=1)
    async with house.sending() as sender:
        await house.tell(ada)
        [first] = await receiver.has(1)
        assert first.is_signed_with(old)
        assert first.is_signed_with(new)
        house.clock.ahead = timedelta(hours=2)
        await house.tell(ada)
        sender.wake()
        _, second = await receiver.has(2)
        assert not second.is_signed_with(old)
        assert second.is_signed_with(new)
        _, newest, _ = await house.webhooks.rotate(ada, webhook.webhook_id, 0, ACTOR)
        await house.tell(ada)
        *_, third = await receiver.has(3)
    assert not third.is_signed_with(new)
    assert third.is_signed_with(newest)
    assert "whsec_" not in json.dumps(
        [each.details for each in await house.audit(webhook.webhook_id)]
    )


@pytest.mark.parametrize("status", [500, 302, 404])
async def test_what_is_not_taken_is_sent_again_with_the_same_id(small_house, receiver, status):
    house, ada = small_house, await small_house.user()
    [webhook_id] = await house.keep(ada, receiver.url())
    receiver.answers("/hook", status, "a secret word", "Location: /elsewhere")
    await house.tell(ada)
    async with house.sending() as sender:
        await attempted(house, 1)
        [delivery] = await house.log(ada, webhook_id, "waiting")
        assert delivery.next_attempt_time
        waits = (delivery.next_attempt_time - await house.clock()).total_seconds()
        assert 4 < waits < 6
        assert delivery.attempts[0].status == status
        assert "secret word" not in delivery.attempts[0].problem
        del receiver.behaviours["/hook"]
        house.clock.ahead = timedelta(seconds=6)
        sender.wake()
        await stands(house, "delivered")
    first, second = receiver.messages
    assert first.message_id == second.message_id
    assert first.body == second.body
    [delivery] = await house.log(ada, webhook_id, "delivered")
    assert [each.status for each in delivery.attempts] == [200, status]
    assert await house.log(ada, webhook_id, "waiting") == []


async def test_it_is_tried_for_a_day_and_then_once_whenever_its_owner_says_so(
    small_house, receiver
):
    house, ada = small_house, await small_house.user()
    [webhook_id] = await house.keep(ada, receiver.url())
    receiver.answers("/hook", 503)
    await house.tell(ada)
    gaps: list[timedelta] = []
    async with house.sending() as sender:
        row = await attempted(house, 1)
        while row.state == "waiting":
            assert row.next_attempt_time
            gaps.append(row.next_attempt_time - await house.clock())
            house.clock.ahead += gaps[-1]
            sender.wake()
            row = await attempted(house, len(gaps) + 1)
        assert row.state == "failed"
        assert row.next_attempt_time is None
        assert 12 <= len(gaps) <= 14
        assert gaps[:6] == sorted(gaps[:6])
        assert timedelta(hours=18) < sum(gaps, timedelta()) <= timedelta(hours=24)
        asked = len(receiver.all)
        house.clock.ahead = timedelta(hours=25)
        resent = await house.deliveries.resend(ada, webhook_id, row.delivery_id)
        assert resent.state == "waiting"
        await receiver.has(asked + 1)
        await stands(house, "failed")
        del receiver.behaviours["/hook"]
        await house.deliveries.resend(ada, webhook_id, row.delivery_id)
        await stands(house, "delivered")
    assert len({each.message_id for each in receiver.messages}) == 1


def test_the_gaps_between_attempts_grow_from_seconds_to_hours():
    gaps = [delay_after(attempt).total_seconds() for attempt in (1, 2, 3, 4, 5, 6, 7, 8, 9, 99)]
    expected = [5, 30, 120, 300, 900, 1800, 3600, 7200, 14400, 14400]
    assert gaps == pytest.approx(expected, rel=0.11)
    assert len({delay_after(9) for _ in range(20)}) > 1


async def test_an_address_that_says_it_is_gone_gets_nothing_more(house, receiver):
    ada = await house.user()
    [webhook_id] = await house.keep(ada, receiver.url())
    receiver.answers("/hook", 410)
    await house.tell(ada, 5)

    async def is_off() -> bool:
        return (await house.webhooks.get(ada, webhook_id)).disabled

    async with house.sending():
        await until(is_off)
        await stands(house, "failed")
    assert len(receiver.messages) <= 4  # two at once, and two more until it is switched off
    assert [event.action for event in await house.audit(webhook_id)] == ["webhook.switched_off"]
    [delivery, *_] = await house.log(ada, webhook_id)
    with pytest.raises(WebhookDisabled):
        await house.deliveries.resend(ada, webhook_id, delivery.delivery_id)
    with pytest.raises(NotFound):
        await house.deliveries.resend(ada, webhook_id, "none")


async def test_an_old_address_that_is_gone_does_not_switch_the_new_one_off(small_house, receiver):
    house, ada = small_house, await small_house.user()
    [webhook_id] = await house.keep(ada, receiver.url("/old"))

    async def moves(writer, _):
        changes = {"url": receiver.url("/new")}
        await house.webhooks.update(ada, webhook_id, changes, ACTOR)
        answer(writer, 410)

    receiver.behaviours["/old"] = moves
    await house.tell(ada)
    async with house.sending() as sender:
        await attempted(house, 1)
        house.clock.ahead = timedelta(seconds=6)
        sender.wake()
        await receiver.has(1, "/new")
        await stands(house, "delivered")
    assert not (await house.webhooks.get(ada, webhook_id)).disabled


@pytest.mark.parametrize("who", ["webhook", "user", "owner"])
async def test_what_waits_is_given_up_once_nobody_is_to_be_told(small_house, receiver, who):
    house, ada = small_house, await small_house.user()
    [webhook_id] = await house.keep(ada, receiver.url())
    await house.tell(ada, 3)
    if who == "webhook":
        await house.change(WebhookRow, webhook_id, disabled=True)
    elif who == "user":
        await house.change(UserRow, ada, disabled=True)
    else:
        await house.webhooks.update(ada, webhook_id, {"disabled": True}, ACTOR)
        assert {row.state for row in await house.rows()} == {"failed"}
    async with house.sending():
        await stands(house, "failed")
    assert receiver.messages == []


async def test_several_senders_on_one_database_send_each_message_once(production, receiver):
    async with AsyncExitStack() as stack:
        databases = [Database(production.database_url) for _ in range(3)]
        for database in databases:
            stack.push_async_callback(database.close)
        house = House(databases[0])
        ada = await house.user()
        await house.keep(ada, receiver.url(), 6)
        await house.tell(ada, 10)
        for database in databases:
            await stack.enter_async_context(house.sending(database))
        await receiver.has(60)
        await stands(house, "delivered")
        assert set(Counter(each.message_id for each in receiver.messages).values()) == {1}
        assert len(receiver.messages) == 60


async def test_what_a_sender_took_that_died_is_sent_by_another_with_the_same_id(house, receiver):
    ada = await house.user()
    [webhook_id] = await house.keep(ada, receiver.url())
    await house.tell(ada)
    async with house.database.write() as session:
        [due] = await take_due(session, await house.clock(), Load())
    async with house.database.write() as session:
        assert await take_due(session, await house.clock(), Load()) == []
    house.clock.ahead = timedelta(seconds=61)
    async with house.sending():
        [received] = await receiver.has(1)
        await stands(house, "delivered")
    assert received.message_id == due.delivery_id
    # The dead one was only slow, and says at last that it failed: that changes nothing.
    async with house.database.write() as session:
        state = await record(session, due, Ending(0, "It failed.", 1.0), utc_now())
    assert state == "delivered"
    [delivery] = await house.log(ada, webhook_id)
    assert delivery.next_attempt_time is None
    assert [each.problem for each in delivery.attempts] == ["It failed.", ""]


async def test_a_sender_that_was_too_slow_does_not_decide_about_the_attempt_of_another(
    small_house,
):
    house, ada = small_house, await small_house.user()
    await house.keep(ada, "https://hooks.example.com/")
    await house.tell(ada)
    taken = []
    for seconds in (0, 61):
        house.clock.ahead = timedelta(seconds=seconds)
        async with house.database.write() as session:
            taken += await take_due(session, await house.clock(), Load())
    leased = (await house.rows())[0].next_attempt_time
    for due, moves in zip(taken, (False, True), strict=True):
        async with house.database.write() as session:
            assert await record(session, due, Ending(500, "No.", 1), utc_now()) == "waiting"
        assert ((await house.rows())[0].next_attempt_time != leased) is moves


@pytest.mark.parametrize(("webhooks", "at_once"), [(1, 2), (10, 8)])
async def test_dead_addresses_do_not_hold_up_others(
    small_house, receiver: Receiver, webhooks, at_once
):
    house, ada, bob = small_house, await small_house.user(), await small_house.user("bob")
    over = asyncio.Event()

    async def seems_dead(writer, _):
        await over.wait()
        answer(writer, 410)

    receiver.behaviours["/dead"] = seems_dead
    await house.keep(ada, receiver.url("/dead"), webhooks)
    await house.keep(bob, receiver.url("/alive"))
    await house.tell(ada, 30)
    await house.tell(bob, 10)
    async with house.sending():
        await receiver.has(10, "/alive")
        # Nothing of the dead ones has ended yet: each has two under way, their owner eight.
        dead = await receiver.has(at_once, "/dead")
        assert len(dead) == at_once
        begun = {each.delivery_id: each.webhook_id for each in await house.rows()}
        assert max(Counter(begun[each.message_id] for each in dead).values()) <= 2
        over.set()


async def test_an_address_that_does_not_answer_is_left_in_peace_for_a_moment(small_house, receiver):
    house, ada, bob = small_house, await small_house.user(), await small_house.user("bob")
    await house.keep(ada, "http://127.0.0.1:1/")
    await house.keep(bob, receiver.url())
    await house.tell(ada, 10)

    async def tried() -> list[DeliveryRow]:
        return [row for row in await house.rows() if row.attempts and row.state == "waiting"]

    async def twice() -> bool:
        return len(await tried()) >= 2

    async def more() -> bool:
        return len(await tried()) > 2

    async with house.sending() as sender:
        await until(twice)
        await house.tell(bob)
        await receiver.has(1)
        assert len(await tried()) == 2
        house.clock.ahead = timedelta(seconds=4.2)
        sender.wake()
        await until(more)
    assert {each["status"] for row in await tried() for each in row.attempts} == {0}


async def test_the_twenty_newest_attempts_are_kept(small_house):
    house, ada = small_house, await small_house.user()
    await house.keep(ada, "https://hooks.example.com/")
    await house.tell(ada)
    for number in range(25):
        async with house.database.write() as session:
            house.clock.ahead += timedelta(minutes=2)
            await session.execute(
                DeliveryRow.__table__.update().values(next_attempt_time=utc_now())
            )
            [due] = await take_due(session, await house.clock(), Load())
        async with house.database.write() as session:
            await record(session, due, Ending(500, f"{number}", 0.1), utc_now())
    [row] = await house.rows()
    assert [each["problem"] for each in row.attempts] == [f"{n}" for n in range(24, 4, -1)]


async def test_deliveries_are_listed_newest_first_in_pages(small_house):
    house, ada = small_house, await small_house.user()
    [webhook_id, other] = await house.keep(ada, "https://hooks.example.com/", 2)
    for _ in range(4):
        await house.tell(ada)
    first, token = await house.deliveries.list(ada, webhook_id, None, 3)
    rest, end = await house.deliveries.list(ada, webhook_id, None, 3, token)
    times = [each.create_time for each in first + rest]
    assert (len(first), len(rest), end) == (3, 1, "")
    assert times == sorted(times, reverse=True)
    assert {each.webhook_id for each in first + rest} == {webhook_id}
    assert len(await house.log(ada, other, "waiting")) == 4
    assert await house.log(ada, other, "failed") == []


async def test_old_deliveries_and_webhooks_of_deleted_users_are_swept(house):
    ada, bob = await house.user(), await house.user("bob")
    [webhook_id] = await house.keep(ada, "https://hooks.example.com/")
    await house.keep(bob, "https://hooks.example.com/")
    for user_id in (ada, bob):
        await house.tell(user_id, 2)
    await house.tell(ada, 2)
    await house.change(UserRow, bob, delete_time=utc_now())
    adas = [row.delivery_id for row in await house.rows() if row.webhook_id == webhook_id]
    day = timedelta(days=1)
    now = utc_now()
    await house.change(DeliveryRow, adas[0], create_time=now - 31 * day, state="delivered")
    await house.change(
        DeliveryRow, adas[1], create_time=now - 2 * day, next_attempt_time=now - day / 12
    )
    await house.change(DeliveryRow, adas[2], create_time=now - 2 * day, next_attempt_time=now)
    async with house.database.write() as session:
        assert (
            await sweep(session, utc_now()) == 4
        )  # a message of ada's, two of bob's, and his webhook
    states = {row.delivery_id: row.state for row in await house.rows()}
    assert states == {adas[1]: "failed", adas[2]: "waiting", adas[3]: "waiting"}
    async with house.database.write() as session:
        assert await sweep(session, utc_now()) == 0


async def test_delivered_messages_go_after_a_week_and_others_after_a_month(house):
    ada, day = await house.user(), timedelta(days=1)
    await house.keep(ada, "https://hooks.example.com/")
    await house.tell(ada, 4)
    rows, now = [row.delivery_id for row in await house.rows()], utc_now()
    ages = {"delivered": (8, 6), "failed": (31, 29)}
    kept = set()
    for state, (gone_days, kept_days) in ages.items():
        for days in (gone_days, kept_days):
            values = {"create_time": now - days * day, "next_attempt_time": now, "state": state}
            delivery_id = rows.pop()
            await house.change(DeliveryRow, delivery_id, **values)
            if days == kept_days:
                kept.add(delivery_id)
    async with house.database.write() as session:
        assert await sweep(session, utc_now()) == 2
    assert {row.delivery_id for row in await house.rows()} == kept


async def test_a_message_that_is_sent_again_after_its_time_stays_as_long_as_a_new_one(
    house, receiver
):
    ada, day = await house.user(), timedelta(days=1)
    [webhook_id] = await house.keep(ada, receiver.url())
    await house.tell(ada)
    [row] = await house.rows()
    first = {"time": (utc_now() - 39 * day).isoformat(), "status": 500, "problem": "no"}
    values = {"state": "failed", "create_time": utc_now() - 40 * day, "next_attempt_time": None}
    await house.change(DeliveryRow, row.delivery_id, attempts=[first | {"seconds": 0.1}], **values)
    await house.deliveries.resend(ada, webhook_id, row.delivery_id)

    async def left(days: int) -> list[str]:
        async with house.database.write() as session:
            await sweep(session, utc_now() + days * day)
        return [row.state for row in await house.rows()]

    assert await left(0) == ["waiting"]
    house.clock.ahead = timedelta(minutes=1)
    async with house.sending():
        await stands(house, "delivered")
    assert await left(0) == ["delivered"]
    assert await left(6) == ["delivered"]
    assert await left(8) == []


async def test_what_is_too_old_is_so_by_the_time_of_the_database(small_house):
    house, ada = small_house, await small_house.user()
    await house.keep(ada, "https://hooks.example.com/")
    await house.tell(ada)
    [row] = await house.rows()
    await house.change(DeliveryRow, row.delivery_id, state="delivered")
    month = timedelta(days=30)
    rule = OldDeliveries(house.database, month, month)
    for days, count in ((29, 0), (31, 1)):
        now = utc_now() + timedelta(days=days)
        assert await rule.due(now) == {"webhook_deliveries": count}
        assert (await rule.remove(now)).removed == {"webhook_deliveries": count}


async def test_one_sweep_forgets_many_portions_of_messages_and_not_any_number(small_house):
    house, ada = small_house, await small_house.user()
    await house.keep(ada, "https://hooks.example.com/")
    most = ROWS_AT_ONCE * PORTIONS_OF_A_SWEEP
    await house.tell(ada, most + 100)
    async with house.database.write() as session:
        old = utc_now() - timedelta(days=8)
        await session.execute(update(DeliveryRow).values(state="delivered", create_time=old))
    for count in (most, 100, 0):
        async with house.database.write() as session:
            assert await sweep(session, utc_now()) == count


async def test_many_messages_of_a_deleted_user_go_in_portions_and_the_webhook_last(
    house, monkeypatch
):
    monkeypatch.setattr(deliveries, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(deliveries, "PORTIONS_OF_A_SWEEP", 3)
    bob = await house.user("bob")
    [webhook_id] = await house.keep(bob, "https://hooks.example.com/")
    await house.tell(bob, 9)
    await house.change(UserRow, bob, delete_time=utc_now())
    webhooks = select(func.count()).select_from(WebhookRow)
    for removed, left in ((6, 1), (3 + 1, 0), (0, 0)):
        async with house.database.write() as session:
            assert await sweep(session, utc_now()) == removed
            assert await session.scalar(webhooks.where(WebhookRow.webhook_id == webhook_id)) == left


async def test_no_secret_query_or_answer_is_logged_or_kept(small_house, receiver):
    house, ada = small_house, await small_house.user()
    with capture_logs() as logs:
        _, secret = await house.make(ada, receiver.url("/hook?token=hidden"))
        receiver.answers("/hook?token=hidden", 500, "a secret word", "X-Word: secret word")
        await house.tell(ada)
        house.clock.ahead = timedelta(hours=25)
        async with house.sending():
            row = await attempted(house, 1)
    said = json.dumps(logs) + json.dumps(row.attempts)
    assert "webhook_attempt_failed" in said
    for word in ("hidden", "secret word", secret, secret.removeprefix("whsec_")):
        assert word not in said
    assert house.attempts("refused") == 1


async def test_a_sender_that_is_closed_waits_for_what_is_under_way(small_house, receiver):
    house, ada = small_house, await small_house.user()
    [webhook_id] = await house.keep(ada, receiver.url())
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(writer, _):
        arrived.set()
        await go_on.wait()
        answer(writer, 204)

    receiver.behaviours["/hook"] = slowly
    await house.tell(ada)
    async with house.sending():
        await asyncio.wait_for(arrived.wait(), 30)
        go_on.set()
    [delivery] = await house.log(ada, webhook_id)
    assert delivery.state == "delivered"
