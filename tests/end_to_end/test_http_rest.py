"""REST: the same calls as JSON, and every error in the same form."""

import base64
import json
import os
import shutil
import subprocess

import httpx
import pytest

from tests.people import ADMIN_NAME, ADMIN_PASSWORD, PASSWORD
from tests.sidecar.calls import JSON, curl, detail, door, reason
from tests.support import encoded, picture, text_pdf

ANN = {"user_name": "ann", "password": PASSWORD}
INLINE_BYTES = 256 * 1024
TOO_LARGE = b'{"content": "' + b"A" * 2 * 1024 * 1024


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    settings = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD}
    settings |= {"ANONYMOUS_CALLS_PER_MINUTE": "0", "MAX_INLINE_BYTES": str(INLINE_BYTES)}
    with door(tmp_path_factory.mktemp("rest"), **settings) as client:
        yield client


@pytest.fixture(scope="module")
def admin(client):
    return signed_in(client, ADMIN_NAME, ADMIN_PASSWORD)


@pytest.fixture(scope="module")
def ann(client):
    answer = client.post("/v1/auth/register", json=ANN)
    assert answer.status_code == 200, answer.text
    return signed_in(client, "ann", PASSWORD)


def signed_in(client: httpx.Client, name: str, password: str) -> dict[str, str]:
    """Return the headers of calls by somebody."""
    answer = client.post("/v1/auth/login", json={"user_name": name, "password": password})
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def content(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_answers_have_the_names_of_the_proto_and_their_zeros(client, ann):
    answer = client.get("/v1/users/me", headers=ann)
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    user = answer.json()["user"]
    assert user["user_name"] == "ann"
    assert user["email_verified"] is False
    assert user["organization_id"] == user["email"] == ""
    assert user["role"] == "ROLE_USER"
    assert not {"grpc-status", "grpc-message", "x-envoy-upstream-service-time"} & {*answer.headers}


def test_names_in_camel_case_are_understood_too(client):
    answer = client.post("/v1/auth/login", json={"userName": ADMIN_NAME, "password": "wrong"})
    assert (answer.status_code, reason(answer)) == (401, "LOGIN_FAILED")


def test_a_key_is_made_found_changed_and_revoked(client, ann):
    made = client.post(
        "/v1/keys", json={"key": {"display_name": "ci", "scopes": ["SCOPE_OCR"]}}, headers=ann
    ).json()
    path = f"/v1/keys/{made['key']['key_id']}"
    assert client.get(path, headers=ann).json()["key"]["display_name"] == "ci"
    listed = client.get("/v1/keys", params={"page_size": 1, "pageToken": ""}, headers=ann)
    assert [key["key_id"] for key in listed.json()["keys"]] == [made["key"]["key_id"]]
    # The body is the key alone, and the mask says which of its fields are meant.
    changed = client.patch(
        path,
        params={"update_mask": "display_name"},
        json={"display_name": "nightly", "disabled": True},
        headers=ann,
    ).json()["key"]
    assert (changed["display_name"], changed["disabled"]) == ("nightly", False)
    # The body must be the key itself: of one of another shape nothing is left.
    for body in ({"key": {"disabled": True}}, {"nonsense": 1}, {}):
        refused = client.patch(path, json=body, headers=ann)
        assert (refused.status_code, reason(refused)) == (400, "INVALID_FIELD")
    assert client.get(path, headers=ann).json()["key"]["disabled"] is False
    rotated = client.post(f"{path}:rotate", json={"overlap_seconds": 0}, headers=ann).json()
    assert rotated["secret"] != made["secret"]
    usage = client.get(f"{path}/usage", headers=ann)
    assert usage.json()["total"]["calls"] == 0
    assert client.delete(path, headers=ann).json()["key"]["state"] == "KEY_STATE_REVOKED"
    revoked = client.get("/v1/users/me", headers={"x-api-key": rotated["secret"]})
    assert (revoked.status_code, reason(revoked)) == (401, "KEY_REVOKED")


def test_a_user_is_changed_in_a_wrapper_and_cleared_by_a_mask(client, admin):
    eve = {"user_name": "eve", "email": "eve@example.com"}
    made = client.post("/v1/admin/users", json={"user": eve}, headers=admin)
    user_id = made.json()["user"]["user_id"]
    path = f"/v1/admin/users/{user_id}"

    def limits_after(body: dict) -> dict:
        answer = client.patch(path, json=body, headers=admin)
        assert answer.status_code == 200, answer.text
        return answer.json()["user"]["limits"]

    limits = {"calls_per_minute": 500, "pages_per_month": 400}
    bare = client.patch(path, json={"limits": limits}, headers=admin)
    assert (bare.status_code, reason(bare)) == (400, "INVALID_FIELD")
    assert limits_after({"user": {"limits": limits}}) == limits
    assert limits_after({"password": PASSWORD}) == limits
    cleared = "limits.calls_per_minute,limits.pages_per_month"
    assert limits_after({"update_mask": cleared}) == {}
    # One's own is bare, and its mask in the query.
    me = signed_in(client, "eve", PASSWORD)
    changed = client.patch("/v1/users/me", json={"display_name": "Eve"}, headers=me)
    assert changed.json()["user"]["display_name"] == "Eve"
    mask = {"update_mask": "display_name,email"}
    changed = client.patch("/v1/users/me", params=mask, json={}, headers=me).json()["user"]
    assert (changed["display_name"], changed["email"]) == ("", "")


def test_a_document_in_json_comes_back_as_text_by_curl(client, ann, tmp_path):
    request = tmp_path / "request.json"
    request.write_text(f'{{"content": "{content(text_pdf(1, 2))}"}}')
    run = curl(
        *("--data", f"@{request}", "--header", f"authorization: {ann['authorization']}"),
        *("--header", "content-type: application/json"),
        f"{client.base_url}/v1/ocr:extract",
    )
    page = "Page 1, line 0: the quick brown fox.\\nPage 1, line 1: the quick brown fox."
    assert f'"text":"{page}"' in run.stdout
    assert '"retries":0' not in run.stdout
    assert '"input_bytes":"' in run.stdout  # 64 bits are a string: JavaScript has 53


def test_the_form_of_oauth_2_signs_in(client, ann):
    form = {"grant_type": "password", "username": "ann", "password": PASSWORD}
    answer = client.post("/v1/auth/token", data=form)
    assert answer.status_code == 200
    token = answer.json()
    assert token["token_type"] == "bearer"
    headers = {"authorization": f"Bearer {token['access_token']}"}
    assert client.get("/v1/users/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "expected"),
    [
        ("/v1/ocr:extract", {"content": ""}, 400, 3, "EMPTY_DOCUMENT"),
        ("/v1/ocr:extract", {"content": content(b"\x7fELF\2\1\1" * 9)}, 400, 3, "UNKNOWN_FORMAT"),
        ("/v1/ocr:stream", {"content": ""}, 400, 3, "EMPTY_DOCUMENT"),
        (
            "/v1/auth/register",
            {"user_name": "ann", "password": PASSWORD},
            409,
            6,
            "USER_NAME_TAKEN",
        ),
        ("/v1/auth/requestPasswordReset", {"email": "a@b.c"}, 400, 9, "MAIL_NOT_CONFIGURED"),
        ("/v1/admin/users", {}, 403, 7, "ROLE_REQUIRED"),
        ("/v1/keys/nothing:rotate", {}, 404, 5, "KEY_NOT_FOUND"),
    ],
)
def test_errors_of_the_service_are_a_status_with_its_details(
    client, ann, path, body, status, code, expected
):
    answer = client.post(path, json=body, headers=ann)
    assert (answer.status_code, reason(answer)) == (status, expected)
    assert answer.json()["code"] == code
    assert answer.json()["message"]


def test_without_credentials_there_is_no_answer_but_that(client):
    answer = client.get("/v1/users/me")
    assert (answer.status_code, reason(answer)) == (401, "CREDENTIALS_MISSING")


def test_whoever_may_not_call_hears_how_to_sign_in(client, ann):
    for headers in ({}, {"authorization": "Bearer nothing"}):
        answer = client.get("/v1/users/me", headers=headers)
        assert answer.status_code == 401
        assert answer.headers.get_list("www-authenticate") == ['Bearer realm="ocr_grpc"']
    assert "www-authenticate" not in client.get("/v1/users/me", headers=ann).headers


@pytest.mark.parametrize("timeout", ["soon", "10", "10s", "123456789S", "-1S", "1.5S", ""])
def test_a_time_limit_that_grpc_cannot_read_is_none(client, ann, timeout):
    body = {"content": content(text_pdf(1, 1))}
    answer = client.post("/v1/ocr:stream", json=body, headers={**ann, "grpc-timeout": timeout})
    assert answer.status_code == 200, answer.text


def test_a_time_limit_that_grpc_can_read_holds(client, ann):
    body = {"content": content(text_pdf(1, 1))}
    answer = client.post("/v1/ocr:stream", json=body, headers={**ann, "grpc-timeout": "1n"})
    assert answer.status_code == 504


def test_a_field_that_is_wrong_is_named(client, ann):
    body = {"content": content(encoded(picture())), "options": {"dpi": 7}}
    answer = client.post("/v1/ocr:extract", json=body, headers=ann)
    assert answer.status_code == 400
    violations = detail(answer.json(), "BadRequest")["field_violations"]
    assert violations[0]["field"] == "options.dpi"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("POST", "/v1/ocr:extract", b'{"content": ', 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/ocr:extract", b'{"content": 7}', 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/ocr:extract", b'{"options": {"mode": "MODE_X"}}', 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/ocr:extract", b"[" * 10_000, 400, "MALFORMED_REQUEST"),
        ("GET", "/v1/keys?page_sizes=1", b"", 400, "MALFORMED_REQUEST"),
        ("GET", "/v1/keys?page_size=many", b"", 400, "MALFORMED_REQUEST"),
        ("GET", "/v1/keys/%00", b"", 400, "MALFORMED_REQUEST"),
        ("GET", "/v1/nowhere", b"", 404, "PATH_NOT_FOUND"),
        ("GET", "/nowhere", b"", 404, "PATH_NOT_FOUND"),
        ("GET", "/v1/ocr%2Fcapabilities", b"", 404, "PATH_NOT_FOUND"),
        ("POST", "/ocr_grpc.v1.OcrService/GetCapabilities", b"{}", 404, "PATH_NOT_FOUND"),
        ("POST", "/v1/auth/login", TOO_LARGE, 413, "REQUEST_TOO_LARGE"),
        ("POST", "/v1/ocr:extract", TOO_LARGE, 413, "REQUEST_TOO_LARGE"),
        ("POST", "/v1/ocr:stream", TOO_LARGE, 413, "REQUEST_TOO_LARGE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_of_the_door_have_the_same_form(client, ann, method, path, body, status, expected):
    headers = {**ann, "content-type": JSON}
    answer = client.request(method, path, content=body, headers=headers)
    assert (answer.status_code, reason(answer)) == (status, expected)


def test_a_document_over_the_limit_of_messages_hears_of_uploads(client, ann):
    body = {"content": content(bytes(INLINE_BYTES + 1))}
    answer = client.post("/v1/ocr:extract", json=body, headers=ann)
    assert (answer.status_code, reason(answer)) == (400, "DOCUMENT_TOO_LARGE")


def test_what_is_left_is_told_and_a_refusal_says_when_to_come_again(client, admin):
    user = {"user_name": "bob", "limits": {"calls_per_minute": 3}}
    body = {"user": user, "password": PASSWORD}
    assert client.post("/v1/admin/users", json=body, headers=admin).status_code == 200
    bob = signed_in(client, "bob", PASSWORD)
    answers = [client.get("/v1/users/me", headers=bob) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
    refused = answers[-1]
    assert reason(refused) == "RATE_LIMITED"
    delay = detail(refused.json(), "RetryInfo")["retry_delay"]
    wait_seconds = float(delay.removesuffix("s"))
    assert 0 < wait_seconds <= int(refused.headers["retry-after"]) <= 61
    assert int(refused.headers["ratelimit-reset"]) == int(refused.headers["retry-after"])


def test_pages_that_are_left_are_told(client, ann):
    body = {"content": content(text_pdf(2, 1))}
    answer = client.post("/v1/ocr:extract", json=body, headers=ann)
    assert answer.status_code == 200
    assert int(answer.headers["quota-remaining-pages"]) > 0


def test_a_request_id_is_kept_or_made_and_comes_back_once(client, ann):
    for path in ("/v1/users/me", "/v1/keys/nothing", "/v1/nowhere", "/health", "/"):
        for own in ("order-4711", "12345678-1234-1234-1234-1234567890ab"):
            answer = client.get(path, headers={**ann, "x-request-id": own})
            assert answer.headers.get_list("x-request-id") == [own], path
        made = client.get(path, headers=ann).headers.get_list("x-request-id")
        assert [len(each) >= 16 for each in made] == [True], path


def test_calls_that_share_a_request_id_are_each_charged(client, admin):
    """A gateway may put the id of its own request on every call it makes for it."""
    body = {"user": {"user_name": "joan"}, "password": PASSWORD}
    assert client.post("/v1/admin/users", json=body, headers=admin).status_code == 200
    headers = {**signed_in(client, "joan", PASSWORD), "x-request-id": "deadbeef"}
    for pages in (1, 1, 2):
        body = {"content": content(text_pdf(pages, 1))}
        answer = client.post("/v1/ocr:extract", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
    usage = client.get("/v1/usage:summary", headers=headers).json()
    assert usage["total"]["usage"]["pages"] == 4


def test_http_2_is_spoken_without_an_upgrade(client):
    run = curl(
        *("--http2-prior-knowledge", "--write-out", "%{http_version} %{http_code}"),
        *("--output", "/dev/null", f"{client.base_url}/v1/ocr/capabilities"),
    )
    assert run.stdout == "2 200"


EARLY = """
const [url, path] = process.argv.slice(1);
const session = require("http2").connect(url);
const call = session.request({ ":method": "POST", ":path": path });
let status, body = "";
call.on("response", (headers) => (status = headers[":status"]));
call.on("data", (piece) => (body += piece));
call.on("error", () => {});
call.on("close", () => {
  console.log(JSON.stringify([status, JSON.parse(body).details[0].reason, call.rstCode]));
  session.destroy();
});
const piece = Buffer.alloc(65536);
let left = 100;
const write = () => {
  while (left-- > 0 && !call.destroyed && !call.writableEnded)
    if (!call.write(piece)) return void call.once("drain", write);
  if (!call.destroyed) call.end();
};
write();
"""
"""Sends 6.5 MB over HTTP/2 and says what it is told meanwhile."""


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/v1/ocr:upload?bogus=1", 400, "MALFORMED_REQUEST"),
        ("/v1/ocr:extract", 413, "REQUEST_TOO_LARGE"),
    ],
)
def test_an_answer_before_the_end_of_an_upload_is_read_over_http_2(client, path, status, expected):
    """The rest of the body is waived without an error (RFC 9113, 8.1)."""
    if not shutil.which("node"):
        assert not os.environ.get("CI"), "Node is missing"
        pytest.skip("Node is missing")
    url = str(client.base_url).rstrip("/")
    run = subprocess.run(
        ["node", "-e", EARLY, url, path], capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(run.stdout) == [status, expected, 0]
