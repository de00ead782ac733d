"""What clients share with the contract, and the check that nothing of it is left out."""

import json

import pytest

from tests.clients import called
from tests.clients.programs import ROOT, run
from tests.rpc.test_service_config import FILE

CLIENTS = ("go", "java", "python")
"""Those that ship the policy as a committed file; the build of the others copies it."""


@pytest.mark.parametrize("client", CLIENTS)
def test_the_policy_that_a_client_ships_is_that_of_the_contract(client):
    copies = run(["git", "ls-files", f"clients/{client}/*service_config.json"]).split()
    assert copies
    for copy in copies:
        assert (ROOT / copy).read_bytes() == FILE.read_bytes(), copy


def test_rpcs_that_nobody_calls_are_found(tmp_path, monkeypatch, capsys):
    contract = called.rpcs()
    monkeypatch.setattr(called, "CALLED", tmp_path)
    (tmp_path / "go.json").write_text(json.dumps(contract[1:]))
    (tmp_path / "java.json").write_text(json.dumps(contract[2:]))
    assert called.main() == 1
    assert f"No client calls {contract[0]}" in capsys.readouterr().out
    (tmp_path / "java.json").write_text(json.dumps(contract[:1]))
    assert called.main() == 0
