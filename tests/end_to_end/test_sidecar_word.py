"""What a sidecar says of its calls is believed, and of nobody else."""

import grpc.aio

from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from tests.people import House, Metadata, house
from tests.support import text_pdf

SAID = (
    ("x-ocr-client-address", "203.0.113.9"),
    ("x-ocr-retry-id", "8c1f0a52-6a0e-4e3c-9a54-0e8e3fb0a1b7"),
)


async def pages_used(home: House, metadata: Metadata) -> int:
    summary = await home.usage.GetUsageSummary(usage_pb.GetUsageSummaryRequest(), metadata=metadata)
    return summary.quota.used_pages


async def test_attempts_of_one_call_are_charged_once(tmp_path):
    path = tmp_path / "http.sock"
    async with house(tmp_path, sidecar_socket=path) as home:
        _, user = await home.create_user("ann")
        assert path.stat().st_mode & 0o777 == 0o660
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            behind = House(channel)
            request = pb.ExtractRequest(content=text_pdf(2))
            for _ in range(3):
                answer = await behind.ocr.Extract(request, metadata=(*user, *SAID))
                assert answer.usage.pages == 2
            assert await pages_used(home, user) == 2
            other = ("x-ocr-retry-id", "00000000-6a0e-4e3c-9a54-0e8e3fb0a1b7")
            await behind.ocr.Extract(request, metadata=(*user, other))
            assert await pages_used(home, user) == 4


async def test_callers_themselves_are_charged_each_time(tmp_path):
    async with house(tmp_path) as home:
        _, user = await home.create_user("ann")
        request = pb.ExtractRequest(content=text_pdf(2))
        for _ in range(2):
            await home.ocr.Extract(request, metadata=(*user, *SAID))
        assert await pages_used(home, user) == 4


async def test_the_audit_log_has_the_address_that_a_sidecar_tells(tmp_path):
    path = tmp_path / "http.sock"
    async with (
        house(tmp_path, sidecar_socket=path) as home,
        grpc.aio.insecure_channel(f"unix:{path}") as channel,
    ):
        admin = await home.admin()
        made = {}
        for name, admins in (("ben", House(channel).admins), ("carl", home.admins)):
            request = admin_pb.CreateUserRequest(user={"user_name": name})
            made[name] = (await admins.CreateUser(request, metadata=(*admin, *SAID))).user.user_id
        listed = await home.admins.ListAuditEvents(
            admin_pb.ListAuditEventsRequest(), metadata=admin
        )
    addresses = {event.target_id: event.address for event in listed.events}
    assert addresses[made["ben"]] == "203.0.113.9"
    assert addresses[made["carl"]] == "127.0.0.1"
