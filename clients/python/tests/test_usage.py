"""UsageService: all of its RPCs."""

from conftest import records_of

from ocr_grpc_client.messages import (
    GetUsageSummaryRequest,
    UsageGrouping,
)


async def test_calls_are_listed_and_summed_up(person):
    await person.client.read(b"Hello", file_name="a.txt")
    method = "OcrService/UploadExtract"
    records = await records_of(person.client, method)
    assert [(record.status, record.usage.pages) for record in records] == [("OK", 1)]
    summary = await person.client.usage.get_usage_summary(
        GetUsageSummaryRequest(grouping=UsageGrouping.METHOD)
    )
    groups = {group.group: group for group in summary.groups}
    assert groups[method].usage.pages == 1
    assert summary.quota.used_pages == 1
