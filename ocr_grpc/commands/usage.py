"""`ocr-grpc usage`: what was called and consumed, and what is left of the quota."""

from enum import Enum
from typing import Annotated

import typer

from ocr_grpc.commands.accounts_client import Connection, connected, note_if_cut
from ocr_grpc.commands.options import Address, Limit, Output, Since, time_ago
from ocr_grpc.commands.tables import Form, print_json
from ocr_grpc.commands.usage_table import (
    By,
    grouping_of,
    note_quota,
    print_records,
    print_summary,
)
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import ledger_pb2
from ocr_grpc.v1 import usage_service_pb2 as pb


class What(Enum):
    """What to print."""

    LIST = "list"
    SUMMARY = "summary"


def usage(
    what: Annotated[What, typer.Argument(help="Single calls, or sums.")] = What.SUMMARY,
    by: Annotated[By | None, typer.Option(help="By what to divide sums.")] = None,
    since: Since = "",
    until: Annotated[str, typer.Option(help="Before this moment, written as for --since.")] = "",
    method: Annotated[str, typer.Option(help="One RPC, such as OcrService/Extract.")] = "",
    key: Annotated[str, typer.Option(help="Id of one API key.")] = "",
    status: Annotated[str, typer.Option(help="One status, such as OK.")] = "",
    user: Annotated[str, typer.Option(help="Another user's, for administrators.")] = "",
    organization: Annotated[
        bool, typer.Option("--organization", help="All members', for owners.")
    ] = False,
    everybody: Annotated[
        bool, typer.Option("--all", help="Everybody's, for administrators.")
    ] = False,
    limit: Limit = 50,
    address: Address = "",
    output: Output = Form.TABLE,
) -> None:
    """Say what was used; sums without --since are of this month (UTC)."""
    if (bool(user), organization, everybody).count(True) > 1:
        raise typer.BadParameter("--user, --organization and --all exclude each other.")
    if by and what is What.LIST:
        raise typer.BadParameter("--by is for sums: ocr-grpc usage summary --by ...")
    chosen = ledger_pb2.UsageFilter(
        start_time=time_ago(since),
        end_time=time_ago(until),
        method=method,
        key_id=key,
        status=status.upper(),
    )
    with connected(address) as connection:
        user_id = connection.find_user(user).user_id if user else "" if everybody else None
        if what is What.LIST:
            _print_calls(connection, chosen, user_id, organization, limit, output)
        elif user_id is None:
            _print_own_sums(connection, chosen, by, organization, output)
        else:
            _print_sums(connection, chosen, by, user_id, output)


def _print_calls(
    connection: Connection,
    chosen: ledger_pb2.UsageFilter,
    user_id: str | None,
    organization: bool,
    limit: int,
    output: Form,
) -> None:
    answer: pb.ListUsageResponse | admin_pb.AdminServiceListUsageResponse
    if user_id is None:
        request = pb.ListUsageRequest(filter=chosen, organization=organization)
        answer = connection.list(connection.usage.ListUsage, request, "records", limit)
    else:
        wider = admin_pb.AdminServiceListUsageRequest(filter=chosen, user_id=user_id)
        answer = connection.list(connection.admin.ListUsage, wider, "records", limit)
    if output is Form.JSON:
        print_json(answer)
        return
    print_records(answer.records, with_user=organization or user_id == "")
    note_if_cut(answer)


def _print_own_sums(
    connection: Connection,
    chosen: ledger_pb2.UsageFilter,
    by: By | None,
    organization: bool,
    output: Form,
) -> None:
    request = pb.GetUsageSummaryRequest(
        filter=chosen, grouping=grouping_of(by), organization=organization
    )
    answer = connection.ask(connection.usage.GetUsageSummary, request)
    if output is Form.JSON:
        print_json(answer)
        return
    print_summary(answer.total, answer.groups, by)
    note_quota(answer.quota)


def _print_sums(
    connection: Connection,
    chosen: ledger_pb2.UsageFilter,
    by: By | None,
    user_id: str,
    output: Form,
) -> None:
    request = admin_pb.AdminServiceGetUsageSummaryRequest(
        filter=chosen, grouping=grouping_of(by), user_id=user_id
    )
    answer = connection.ask(connection.admin.GetUsageSummary, request)
    if output is Form.JSON:
        print_json(answer)
    else:
        print_summary(answer.total, answer.groups, by)
