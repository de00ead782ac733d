"""What the HTTP door lets through, and what it says of itself."""

import asyncio
import contextlib
import gzip
import json
import socket

import grpc
import grpc.aio
import httpx
import pytest

from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceStub
from tests.people import ADMIN_NAME, ADMIN_PASSWORD
from tests.processes import serve_http
from tests.sidecar.calls import JSON, authority, client_of, door, envoy_of, raw, reason

ORIGIN = "https://app.example.com"
STRANGER = "https://elsewhere.example.com"
LIED = "203.0.113.99"
MEMORY_BYTES = 64 * 2**20
UPLOAD = "/v1/ocr:upload"

SPOOFED = {
    "x-ocr-client-address": LIED,
    "x-forwarded-for": LIED,
    "x-real-ip": LIED,
    "forwarded": f"for={LIED}",
    "x-envoy-external-address": LIED,
    "x-envoy-original-path": "/v1/lie",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    settings = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD, "CORS_ORIGINS": ORIGIN}
    settings |= {"HTTP_MEMORY_BYTES": str(MEMORY_BYTES), "ANONYMOUS_CALLS_PER_MINUTE": "0"}
    with serve_http(tmp_path_factory.mktemp("security"), **settings) as (process, _, url):
        yield process.pid, url


@pytest.fixture(scope="module")
def client(served):
    with client_of(served[1]) as client:
        yield client


@pytest.fixture(scope="module")
def admin(client):
    return signed_in(client)


def signed_in(client: httpx.Client, **headers: str) -> dict[str, str]:
    body = {"user_name": ADMIN_NAME, "password": ADMIN_PASSWORD}
    answer = client.post("/v1/auth/login", json=body, headers=headers)
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def last_address(client: httpx.Client, headers: dict[str, str]) -> str:
    """Return where the last failed login came from, as the audit log has it."""
    found = client.get("/v1/admin/audit", params={"page_size": 1}, headers=headers).json()
    return found["events"][0]["address"]


def preflight(client: httpx.Client, origin: str, path: str = "/v1/keys/k") -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "DELETE"}
    headers |= {"access-control-request-headers": "authorization, content-type"}
    return client.options(path, headers=headers)


def test_pages_of_origins_in_the_settings_may_call(client):
    for path in ("/v1/keys/k", UPLOAD, "/ocr_grpc.v1.OcrService/GetCapabilities"):
        answer = preflight(client, ORIGIN, path)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "DELETE" in answer.headers["access-control-allow-methods"]
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    for path in ("/v1/ocr/capabilities", "/v1/nowhere", "/v1/users/me"):
        called = client.get(path, headers={"origin": ORIGIN})
        assert called.headers["access-control-allow-origin"] == ORIGIN
        exposed = called.headers["access-control-expose-headers"].split(", ")
        assert {"retry-after", "grpc-retry-pushback-ms"} <= set(exposed)


def test_they_may_send_headers_of_any_library(client):
    """The wildcard covers all but `authorization`, as browsers read it."""
    allowed = preflight(client, ORIGIN).headers["access-control-allow-headers"]
    assert [name.strip() for name in allowed.split(",")] == ["*", "authorization"]


def test_they_may_read_files_and_refusals_that_come_from_a_route(client):
    for method, path, status in (
        ("GET", "/openapi.json", 200),
        ("GET", "/protos.zip", 200),
        ("PUT", "/v1/keys", 405),
    ):
        answer = client.request(method, path, headers={"origin": ORIGIN})
        assert (answer.status_code, path) == (status, path)
        assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
        assert "origin" in answer.headers["vary"]
        stranger = client.request(method, path, headers={"origin": STRANGER})
        assert "access-control-allow-origin" not in stranger.headers
    page = client.get("/", headers={"origin": ORIGIN})
    assert "access-control-allow-origin" not in page.headers


def test_pages_of_other_origins_may_not(client):
    for origin in (STRANGER, "null", f"{ORIGIN}.evil.com", "http://app.example.com"):
        assert "access-control-allow-origin" not in preflight(client, origin).headers
        called = client.get("/v1/ocr/capabilities", headers={"origin": origin})
        assert "access-control-allow-origin" not in called.headers


@pytest.mark.parametrize(
    "path", ["/v1/ocr/capabilities", "/v1/users/me", "/v1/nowhere", "/health", "/", "/openapi.json"]
)
def test_every_answer_has_the_headers_that_protect_browsers(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == (
        "no-cache" if path in ("/", "/openapi.json") else "no-store"
    )
    assert headers["server"] == "ocr_grpc"
    assert not [name for name in headers if name.startswith("x-envoy")]


def test_a_page_is_found_with_a_slash_behind_it_too(client):
    for page in ("/playground", "/docs"):
        answer = client.get(f"{page}/")
        assert (answer.status_code, answer.headers["location"]) == (308, page)
        assert client.get(f"{page}/", follow_redirects=True).status_code == 200
    for path in ("/nowhere/", "/openapi.json/"):
        assert reason(client.get(path)) == "PATH_NOT_FOUND"


def test_metrics_are_not_served_unless_a_setting_says_so(client):
    answer = client.get("/metrics")
    assert (answer.status_code, reason(answer)) == (404, "PATH_NOT_FOUND")


def test_pages_run_scripts_of_their_own_alone(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_lie_about_the_address_is_not_believed_over_rest(client, admin):
    body = {"user_name": ADMIN_NAME, "password": "wrong"}
    for lie in (SPOOFED, {"X-OCR-Client-Address": LIED}, {"x-forwarded-for": f"{LIED}, {LIED}"}):
        assert client.post("/v1/auth/login", json=body, headers=lie).status_code == 401
        assert last_address(client, admin) == "127.0.0.1"


def test_nor_is_it_over_grpc(client, admin):
    async def fail_to_sign_in() -> None:
        metadata = tuple(SPOOFED.items())
        async with grpc.aio.insecure_channel(authority(client)) as channel:
            login = auth_pb.LoginRequest(user_name=ADMIN_NAME, password="wrong")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await AuthServiceStub(channel).Login(login, metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED

    asyncio.run(fail_to_sign_in())
    assert last_address(client, admin) == "127.0.0.1"


def test_a_grpc_call_cannot_pass_for_rest(client, admin):
    """Over REST a refused stream has no event; over gRPC the last event has the reason."""
    message = b"\0\0\0\0\0"
    headers = {**admin, "content-type": "application/grpc-web", "x-envoy-original-path": "/v1/lie"}
    answer = client.post("/ocr_grpc.v1.OcrService/StreamExtract", content=message, headers=headers)
    assert b"EMPTY_DOCUMENT" in answer.content
    assert answer.content[:1] == b"\0"  # a message comes before the trailers


def test_too_many_headers_and_too_large_ones_are_refused(client):
    many = {f"x-{number}": "a" for number in range(120)}
    for headers in (many, {"x-large": "a" * 70_000}):
        answer = client.get("/v1/ocr/capabilities", headers=headers)
        assert (answer.status_code, reason(answer)) == (431, "HEADERS_TOO_LARGE")


def test_headers_that_differ_in_an_underscore_are_refused(client):
    answer = client.get("/v1/ocr/capabilities", headers={"x_ocr_client_address": LIED})
    assert (answer.status_code, reason(answer)) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +4\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx : y\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n y: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ],
)
def test_requests_that_two_servers_may_read_differently_are_refused(client, request_head):
    received = raw(client, request_head + b"0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n")
    assert received.count(b"HTTP/1.1 ") == 1, received
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.split()[1] in (b"400", b"426", b"501")
    assert json.loads(body)["details"][0]["reason"] in ("MALFORMED_REQUEST", "NOT_IMPLEMENTED")


@pytest.mark.parametrize(
    "path", ["/v1/../health/details", "/v1//ocr/capabilities", "/%2e%2e/v1/ocr/capabilities"]
)
def test_a_path_means_the_same_however_it_is_written(client, path):
    head = raw(client, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 401"))


def test_json_is_compressed_for_whoever_takes_it(client):
    headers = {"accept-encoding": "gzip"}
    with client.stream("GET", "/v1/ocr/capabilities", headers=headers) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed))["version"]
    assert len(packed) < 1500
    plain = client.get("/v1/ocr/capabilities", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_bodies_that_are_never_finished_do_not_fill_the_memory(client, served):
    """Each may grow to the largest document; together they must not outgrow HTTP_MEMORY_BYTES."""
    envoy = envoy_of(served[0])
    before = envoy.memory_info().rss
    head = b"POST /v1/ocr:extract HTTP/1.1\r\nhost: x\r\ncontent-length: 40000000\r\n"
    head += f"content-type: {JSON}\r\n\r\n".encode() + b'{"content": "'
    address = (client.base_url.host, client.base_url.port)
    bodies = [socket.create_connection(address, timeout=10) for _ in range(20)]
    for body in bodies:
        body.sendall(head)
    refused, peak = 0, before
    for _ in range(20):
        for body in bodies:
            try:
                body.sendall(b"A" * 2**20)
            except OSError:
                refused += 1
        peak = max(peak, envoy.memory_info().rss)
    for body in bodies:
        body.close()
    assert refused
    assert peak - before < 2 * MEMORY_BYTES
    # And whoever comes afterwards is served.
    assert client.get("/v1/ocr/capabilities").status_code == 200


def test_a_body_that_never_ends_is_cut_off_at_its_limit(client, served):
    envoy = envoy_of(served[0])
    before = envoy.memory_info().rss

    def endless():
        yield b'{"user_name": "'
        while True:
            yield b"A" * 65536

    with contextlib.suppress(httpx.TransportError):  # it is told, if it reads before it writes
        answer = client.post("/v1/auth/login", content=endless(), headers={"content-type": JSON})
        assert (answer.status_code, reason(answer)) == (413, "REQUEST_TOO_LARGE")
    assert envoy.memory_info().rss - before < 2**24


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A door behind a proxy, for few connections."""
    settings = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD}
    settings |= {"TRUSTED_HOPS": "1", "MAX_HTTP_CONNECTIONS": "10"}
    with door(tmp_path_factory.mktemp("narrow"), **settings) as client:
        yield client


def test_a_trusted_hop_is_believed_and_what_stands_before_it_is_not(narrow):
    admin = signed_in(narrow)
    body = {"user_name": ADMIN_NAME, "password": "wrong"}
    for said in ("198.51.100.7", f"{LIED}, 198.51.100.7"):
        headers = {"x-forwarded-for": said, "x-ocr-client-address": LIED}
        assert narrow.post("/v1/auth/login", json=body, headers=headers).status_code == 401
        assert last_address(narrow, admin) == "198.51.100.7"


def test_connections_over_the_limit_are_refused_and_the_others_go_on(narrow):
    assert narrow.get("/health").status_code == 200
    address = (narrow.base_url.host, narrow.base_url.port)
    idle = [socket.create_connection(address, timeout=10) for _ in range(30)]
    refused = 0
    for connection in idle:
        connection.settimeout(0.3)
        try:
            refused += connection.recv(1) == b""
        except TimeoutError:
            pass
        except ConnectionResetError:
            refused += 1
    assert refused >= 20
    assert narrow.get("/health").status_code == 200
    for connection in idle:
        connection.close()
