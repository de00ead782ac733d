"""The receiver in the documentation works as it stands."""

import re
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from ocr_grpc.store.base import utc_now
from ocr_grpc.webhooks.messages import body_of, headers_of, new_secret
from tests.webhooks.support import poster, until

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def documented(monkeypatch):
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    names: dict = {"__name__": "documentation"}
    exec(compile(code, DOCUMENTATION.name, "exec"), names)
    with ThreadingHTTPServer(("127.0.0.1", 0), names["Receiver"]) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


async def test_the_receiver_is_verified_and_takes_only_what_is_signed(
    small_house, documented, monkeypatch, capsys
):
    house, ada = small_house, await small_house.user()
    webhook, secret = await house.make(ada, documented)
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    await house.tell(ada, batch_id="batch0")
    [row] = await house.rows()
    async with house.sending():

        async def delivered() -> bool:
            return bool(await house.log(ada, webhook.webhook_id, "delivered"))

        await until(delivered)
    said = capsys.readouterr()
    assert f"{row.delivery_id} batch.finished {{'batch_id': 'batch0'}}" in said.out
    body = body_of("batch.finished", utc_now(), {})
    forged = headers_of("forged", body, [new_secret()], utc_now())
    assert (await poster().post(documented, forged, body)).outcome == "unreachable"
    said = capsys.readouterr()
    assert "WebhookVerificationError" in said.err
    assert "forged" not in said.out
