"""Checks that every RPC of the contract is called by the tests of at least one client.

    python -m tests.clients.called

Prints a table of RPCs and clients from what the services of those tests were asked for. Exits with
1 if an RPC was called by none.
"""

import importlib
import json
import sys
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor

from tests.clients.stage import CALLED

PROTOS = Path(__file__).parents[2] / "protos"


def rpcs() -> list[str]:
    """Return every RPC of the public contract, such as `/ocr_grpc.v1.OcrService/Extract`."""
    found = []
    for proto in sorted((PROTOS / "ocr_grpc" / "v1").glob("*_service.proto")):
        module = importlib.import_module(f"ocr_grpc.v1.{proto.stem}_pb2")
        file: FileDescriptor = module.DESCRIPTOR
        for service in file.services_by_name.values():
            found += [f"/{service.full_name}/{method.name}" for method in service.methods]
    return found


def uncalled(by_client: dict[str, set[str]], contract: list[str]) -> list[str]:
    """Return the RPCs that no client calls."""
    return [rpc for rpc in contract if not any(rpc in calls for calls in by_client.values())]


def table(by_client: dict[str, set[str]], contract: list[str]) -> str:
    """Return which client calls what, a line for each RPC."""
    names = sorted(by_client)
    lines = [f"{'RPC':<56}{''.join(f'{name:>12}' for name in names)}"]
    for rpc in contract:
        marks = "".join(f"{'x' if rpc in by_client[name] else '':>12}" for name in names)
        lines.append(f"{rpc.removeprefix('/ocr_grpc.v1.'):<56}{marks}".rstrip())
    return "\n".join(lines)


def main() -> int:
    by_client = {
        file.stem: set(json.loads(file.read_text())) for file in sorted(CALLED.glob("*.json"))
    }
    contract = rpcs()
    print(table(by_client, contract))
    missing = uncalled(by_client, contract)
    for rpc in missing:
        print(f"No client calls {rpc}")
    print(f"{len(contract) - len(missing)} of {len(contract)} RPCs are called by a client's tests.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
