"""`ocr-grpc health`: asks a service whether it is well, for the health checks of containers."""

from typing import Annotated, Any

import grpc
import httpx
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ocr_grpc.commands.addresses import find_server
from ocr_grpc.commands.channels import open_channel
from ocr_grpc.commands.failure import CommandFailed

NOT_WELL = 1
HTTP_OK = 200


def health(
    address: Annotated[
        str, typer.Option(help="host:port or https://host:port. Default: this machine's server.")
    ] = "",
    service: Annotated[
        str, typer.Option(help="Name to ask for, such as liveness. Default: the server as a whole.")
    ] = "",
    url: Annotated[
        str, typer.Option(help="Ask this over HTTP, such as http://127.0.0.1:9090/healthz.")
    ] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 5.0,
) -> None:
    """Ask a service whether it is well. Needs no credentials.

    Exit code 0 if it is; 1 if it is not, cannot be reached, or does not answer in time. `serve` and
    `ocr-grpc engine` answer by gRPC, `ocr-grpc worker` and the HTTP sidecar by HTTP.
    """
    state = _asked_by_http(url, timeout) if url else _asked(address, service, timeout)
    typer.echo(state)


def _asked(address: str, service: str, timeout: float) -> str:
    server = find_server(address)
    with open_channel(server) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # comes without types
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout)
        except grpc.RpcError as error:
            # grpc's stubs do not say that every error of a call is a call as well.
            code = getattr(error, "code", lambda: grpc.StatusCode.UNKNOWN)()
            raise CommandFailed(f"{server.name}: {code.name}", exit_code=NOT_WELL) from None
    status: int = answer.status
    state = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    if status != health_pb2.HealthCheckResponse.SERVING:
        raise CommandFailed(f"{server.name}: {state}", exit_code=NOT_WELL)
    return state


def _asked_by_http(url: str, timeout: float) -> str:
    try:
        # Not by a proxy of the environment: it would be asked about a port of this machine.
        status = httpx.get(url, timeout=timeout, trust_env=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CommandFailed(f"{url}: {type(error).__name__}", exit_code=NOT_WELL) from None
    if status != HTTP_OK:
        raise CommandFailed(f"{url}: {status}", exit_code=NOT_WELL)
    return str(status)
