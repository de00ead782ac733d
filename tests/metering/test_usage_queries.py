"""Lists and sums of the ledger: the same on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from ocr_grpc.accounts.errors import InvalidField, OwnerRequired
from ocr_grpc.accounts.principal import OrganizationRole
from ocr_grpc.metering.usage_queries import Grouping, UsageFilter, UsageQueries, UsageScope
from ocr_grpc.rpc.caller import Caller, set_current_caller
from ocr_grpc.rpc.usage import UsageServicer
from ocr_grpc.rpc.usage_mapping import filter_from_proto, grouping_from_proto
from ocr_grpc.store.errors import InvalidPageToken
from ocr_grpc.store.metering import QuotaRow, UsageRow
from ocr_grpc.v1 import document_pb2, ledger_pb2
from ocr_grpc.v1 import usage_service_pb2 as pb
from tests.metering.support import caller

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADA = UsageScope(user_id="ada")


def row(number, moment, **fields):
    values = {"user_id": "ada", "method": "OcrService/Extract", "status": "OK", "pages": 1}
    return UsageRow(usage_id=f"{number:04}", create_time=moment, **{**values, **fields})


@pytest.fixture
async def queries(database):
    minute = timedelta(minutes=1)
    day = datetime(2026, 11, 20, 23, 58, tzinfo=UTC)
    async with database.write() as session:
        session.add_all(
            [
                row(1, day, kind="pdf", duration_seconds=0.5, input_bytes=3_000_000_000),
                row(2, day + minute, kind="png", key_id="k1", prompt_tokens=7),
                row(3, day + 2 * minute, kind="pdf", key_id="k2", input_bytes=3_000_000_000),
                row(4, day + 2 * minute, status="RESOURCE_EXHAUSTED", reason="X", pages=0),
                row(5, day + 3 * minute, status="OPEN", method="OcrService/StreamExtract"),
                row(6, day, user_id="bob", organization_id="acme"),
                row(7, day, user_id=None, status="UNAUTHENTICATED", method="Émile/b", pages=0),
                row(8, day, user_id="eve", method="a/b"),
                row(9, day - timedelta(days=30)),
            ]
        )
        session.add(QuotaRow(owner_id="ada", period="2026-11", used_pages=4, reserved_pages=2))
    return UsageQueries(database, clock=lambda: NOW)


async def names(queries, scope, grouping, chosen=UsageFilter()):  # noqa: B008 - frozen
    summary = await queries.summary(scope, chosen, grouping)
    return {group.name: group.calls for group in summary.groups}


async def test_sums_of_this_month(queries):
    total = (await queries.summary(ADA, UsageFilter())).total
    assert (total.calls, total.failed_calls, total.pages) == (5, 1, 4)
    assert (total.usage.input_bytes, total.usage.prompt_tokens) == (6_000_000_000, 7)
    assert total.duration_seconds == 0.5
    nothing = (await queries.summary(UsageScope(user_id="nobody"), UsageFilter())).total
    assert (nothing.calls, nothing.pages, nothing.usage.input_bytes) == (0, 0, 0)


async def test_sums_by_what_calls_have_in_common(queries):
    everyone = UsageScope(everyone=True)
    assert await names(queries, ADA, Grouping.DAY) == {"2026-11-20": 2, "2026-11-21": 3}
    assert await names(queries, ADA, Grouping.KEY) == {"": 3, "k1": 1, "k2": 1}
    assert await names(queries, ADA, Grouping.KIND) == {"": 2, "pdf": 2, "png": 1}
    assert await names(queries, everyone, Grouping.USER) == {"": 1, "ada": 5, "bob": 1, "eve": 1}
    by_method = await names(queries, everyone, Grouping.METHOD)
    # By code point, whatever the language of the database.
    assert list(by_method) == ["OcrService/Extract", "OcrService/StreamExtract", "a/b", "Émile/b"]


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        (UsageFilter(), [5, 4, 3, 2, 1, 9]),
        (UsageFilter(start_time=datetime(2026, 11, 21, tzinfo=UTC)), [5, 4, 3]),
        (UsageFilter(end_time=datetime(2026, 11, 20, 23, 58, tzinfo=UTC)), [9]),
        (UsageFilter(method="OcrService/StreamExtract"), [5]),
        (UsageFilter(key_id="k1"), [2]),
        (UsageFilter(status="RESOURCE_EXHAUSTED"), [4]),
        (UsageFilter(kind="pdf"), [3, 1]),
        (UsageFilter(kind="pdf", key_id="k2"), [3]),
    ],
)
async def test_filters_choose_calls(queries, chosen, ids):
    rows, token = await queries.list(ADA, chosen, 0, "")
    assert [int(each.usage_id) for each in rows] == ids
    assert not token


async def test_a_list_goes_on_where_the_last_page_ended(queries):
    ids, token = [], ""
    while True:
        rows, token = await queries.list(UsageScope(everyone=True), UsageFilter(), 2, token)
        ids += [int(each.usage_id) for each in rows]
        if not token:
            break
    assert ids == [5, 4, 3, 2, 8, 7, 6, 1, 9]
    with pytest.raises(InvalidPageToken):
        await queries.list(ADA, UsageFilter(), 2, "nonsense")


async def test_a_scope_must_say_whose(queries):
    with pytest.raises(ValueError, match="names somebody"):
        UsageScope(user_id="")
    both = UsageScope(user_id="bob", organization_id="acme")
    assert [row.usage_id for row in (await queries.list(both, UsageFilter(), 0, ""))[0]] == ["0006"]


async def test_what_is_left_of_a_quota(queries):
    quota = await queries.quota(caller(pages=10))
    assert (quota.period, quota.limit, quota.used, quota.reserved) == ("2026-11", 10, 4, 2)
    assert (quota.remaining, quota.shared) == (4, False)
    assert quota.reset_time == datetime(2026, 12, 1, tzinfo=UTC)
    assert (await queries.quota(caller())).remaining is None
    assert (await queries.quota(caller(pages=3))).remaining == 0
    assert (await queries.quota(caller(pages=10, key={"pages_per_month": 3}))).remaining == 3
    assert (await queries.quota(caller("bob", 5, organization_id="acme"))).shared


def acting(principal):
    set_current_caller(Caller("10.0.0.1", "call", principal))


async def test_the_service_shows_callers_their_own_calls_and_quota(queries):
    servicer = UsageServicer(queries)
    acting(caller(pages=10))
    listed = await servicer.ListUsage(pb.ListUsageRequest(page_size=3), None)
    assert [record.usage_id for record in listed.records] == ["0005", "0004", "0003"]
    assert listed.next_page_token
    record = listed.records[2]
    assert (record.kind, record.usage.input_bytes) == (
        document_pb2.DOCUMENT_KIND_PDF,
        3_000_000_000,
    )
    summary = await servicer.GetUsageSummary(
        pb.GetUsageSummaryRequest(grouping=ledger_pb2.USAGE_GROUPING_KIND), None
    )
    assert [group.group for group in summary.groups] == [
        "",
        "DOCUMENT_KIND_PDF",
        "DOCUMENT_KIND_PNG",
    ]
    assert (summary.total.calls, summary.quota.remaining_pages) == (5, 4)
    acting(caller())
    unlimited = await servicer.GetUsageSummary(pb.GetUsageSummaryRequest(), None)
    assert unlimited.quota.remaining_pages == 2_147_483_647


async def test_only_owners_see_the_calls_of_an_organization(queries):
    servicer = UsageServicer(queries)
    request = pb.ListUsageRequest(organization=True)
    for role in (None, OrganizationRole.MEMBER):
        acting(caller(organization_id="acme" if role else None, organization_role=role))
        with pytest.raises(OwnerRequired):
            await servicer.ListUsage(request, None)
    acting(caller(organization_id="acme", organization_role=OrganizationRole.OWNER))
    listed = await servicer.ListUsage(request, None)
    assert [record.user_id for record in listed.records] == ["bob"]


def test_nonsense_in_a_filter_is_refused():
    for nonsense in (
        ledger_pb2.UsageFilter(kind=99),
        ledger_pb2.UsageFilter(method="a\0b"),
        ledger_pb2.UsageFilter(start_time={"seconds": 1 << 60}),
    ):
        with pytest.raises(InvalidField):
            filter_from_proto(nonsense)
    with pytest.raises(InvalidField):
        grouping_from_proto(99)
