"""The service loses patience before its door does, because it says why."""

import base64

import httpx

from tests.processes import serve_http
from tests.support import encoded, picture


def test_a_document_that_takes_too_long_is_told_so_over_rest_as_well(tmp_path):
    hanging = base64.b64encode(encoded(picture(first_pixel=0))).decode()
    with serve_http(tmp_path, ENGINE="hang", DOCUMENT_TIMEOUT_SECONDS="1") as (_, _, url):
        answer = httpx.post(f"{url}/v1/ocr:extract", json={"content": hanging}, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["reason"] == "DOCUMENT_TIMED_OUT"
