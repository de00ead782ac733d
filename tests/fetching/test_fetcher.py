"""What is fetched from where, against a real web server whose name and address tests make up."""

import asyncio
import gzip
import socket
import ssl

import pytest

from ocr_grpc.errors import OcrError
from ocr_grpc.fetching.addresses import is_public
from ocr_grpc.fetching.errors import HostUnknown
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.fetching.pinned import resolve
from tests.certificates import Authority
from tests.fetching.web import web

HOME = "127.0.0.1"


@pytest.fixture
async def site():
    async with web() as site:
        yield site


class Names:
    """Resolves names, each time to the next addresses it was given."""

    def __init__(self, **addresses: list[str] | list[list[str]]) -> None:
        self.asked: list[str] = []
        self._addresses = addresses

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._addresses.get(host.replace(".", "_"), [HOME])


def fetcher(site, hosts="*", seconds=5.0, names=None, allowed=None, tls=None) -> Fetcher:
    listed = ",".join(f"{host}:{site.port}" for host in hosts.split(","))
    return Fetcher(
        AllowedHosts.parse(listed),
        seconds,
        names or Names(),
        allowed or (lambda address: address == HOME),
        tls,
    )


async def fetched(fetcher: Fetcher, url: str) -> bytes:
    return b"".join([chunk async for chunk in fetcher.chunks(url, "url")])


def home(site) -> str:
    return f"http://a.example:{site.port}/"


async def refusal(fetcher: Fetcher, url: str) -> OcrError:
    with pytest.raises(OcrError) as refused:
        await fetched(fetcher, url)
    return refused.value


async def test_a_document_is_fetched_under_its_own_name(site):
    site.has("/a.pdf?key=1", b"x" * 300_000)
    content = await fetched(
        fetcher(site), f"http://files.example.com:{site.port}/a.pdf?key=1#page=2"
    )
    assert content == b"x" * 300_000
    (request,) = site.requests
    assert request.startswith("GET /a.pdf?key=1 HTTP/1.1\r\n")
    assert f"host: files.example.com:{site.port}\r\n" in request.lower()
    assert "accept-encoding: identity\r\n" in request.lower()
    assert "cookie" not in request.lower()


async def test_a_host_that_is_not_in_the_list_is_not_even_resolved(site):
    names = Names()
    there = fetcher(site, "files.example.com", names=names)
    for url in ("http://other.example.com/", f"http://files.example.com.evil.net:{site.port}/"):
        assert (await refusal(there, url)).reason == "URL_NOT_ALLOWED"
    assert (await refusal(there, "http://files.example.com:22/")).reason == "URL_NOT_ALLOWED"
    assert names.asked == []


async def test_the_scheme_counts_where_the_list_names_one(site):
    site.has("/", b"plain")
    there = fetcher(site, "https://files.example.com,http://plain.example.com")
    assert await fetched(there, f"http://plain.example.com:{site.port}/") == b"plain"
    for url in (f"http://files.example.com:{site.port}/", f"https://plain.example.com:{site.port}"):
        refused = await refusal(there, url)
        assert (refused.reason, refused.metadata["setting"]) == ("URL_NOT_ALLOWED", "FETCH_HOSTS")
    site.redirects("/go", f"http://files.example.com:{site.port}/")
    refused = await refusal(there, f"http://plain.example.com:{site.port}/go")
    assert refused.reason == "URL_NOT_ALLOWED"


async def test_without_a_list_nothing_is_fetched(site):
    nowhere = Fetcher(AllowedHosts(), 5)
    assert (await refusal(nowhere, f"http://{HOME}:{site.port}/")).reason == "URL_NOT_ALLOWED"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "[::1]", "0"])
async def test_this_machine_is_never_asked_whatever_it_is_called(site, host):
    """With the real resolver and the real judgement of addresses."""
    site.has("/", b"secret")
    real = Fetcher(AllowedHosts.parse(f"*:{site.port}"), 5, resolve, is_public)
    refused = await refusal(real, f"http://{host}:{site.port}/")
    assert refused.reason in ("URL_NOT_ALLOWED", "URL_UNREACHABLE")
    assert site.requests == []


async def test_one_private_address_among_public_ones_spoils_the_name(site):
    names = Names(evil_example=[HOME, "10.0.0.1"])
    refused = await refusal(fetcher(site, names=names), f"http://evil.example:{site.port}/")
    assert refused.reason == "URL_NOT_ALLOWED"
    assert site.requests == []


async def test_the_address_that_was_judged_is_the_one_that_is_asked(site):
    """A name that resolves to something else a moment later is not resolved again."""
    site.has("/", b"good")
    names = Names()
    assert (
        await fetched(fetcher(site, names=names), f"http://rebind.example:{site.port}/") == b"good"
    )
    assert names.asked == ["rebind.example"]


async def test_the_next_address_is_tried_when_one_does_not_answer(site):
    site.has("/", b"good")
    names = Names(two_example=["127.0.0.2", HOME])
    there = fetcher(site, names=names, allowed=lambda address: True)
    assert await fetched(there, f"http://two.example:{site.port}/") == b"good"


async def test_redirects_are_followed_three_times(site):
    site.redirects("/1", "/2")
    site.redirects("/2", f"http://other.example:{site.port}/3")
    site.redirects("/3", "4")
    site.has("/4", b"there")
    names = Names()
    there = fetcher(site, names=names)
    assert await fetched(there, f"http://a.example:{site.port}/1") == b"there"
    assert names.asked == ["a.example", "a.example", "other.example", "other.example"]
    assert not any("cookie" in request.lower() for request in site.requests)
    site.redirects("/0", "/1")
    assert (await refusal(there, f"http://a.example:{site.port}/0")).reason == "URL_UNREACHABLE"


async def test_a_redirect_is_checked_like_the_url_itself(site):
    names = Names(inside_example=["10.0.0.1"])
    there = fetcher(site, "a.example,inside.example", names=names)
    for target in (
        f"http://inside.example:{site.port}/",
        "http://elsewhere.example/",
        f"http://{HOME}:{site.port}/",
        "http://a.example:22/",
    ):
        site.redirects("/go", target)
        refused = await refusal(there, f"http://a.example:{site.port}/go")
        assert refused.reason == "URL_NOT_ALLOWED", target
        assert target not in refused.message
    for target in ("file:///etc/passwd", "ftp://a.example/", f"http://u:p@a.example:{site.port}/"):
        site.redirects("/go", target)
        assert (await refusal(there, f"http://a.example:{site.port}/go")).reason == "INVALID_URL"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.pdf",
        "file:///etc/passwd",
        "ftp://a.example/a.pdf",
        "gopher://a.example/",
        "http://",
        "http:///a.pdf",
        "https://user:secret@a.example/",
        "https://user@a.example/",
        "http://a\x00b.example/",
        "http://a b.example/",
        "https://a.example/" + "x" * 8_000,
    ],
)
async def test_what_is_no_url_of_a_document_is_refused(site, url):
    refused = await refusal(fetcher(site), url)
    assert refused.reason == "INVALID_URL"
    assert "secret" not in refused.message


async def test_names_in_other_scripts_are_compared_as_they_are_asked(site):
    site.has("/", b"good")
    names = Names()
    there = fetcher(site, "xn--bcher-kva.example", names=names)
    assert await fetched(there, f"http://Bücher.example:{site.port}/") == b"good"
    assert names.asked == ["xn--bcher-kva.example"]


async def test_what_the_host_says_in_place_of_a_document_is_not_repeated(site):
    site.has("/gone?token=secret", b"the host's secret", "404 The secret", "X-Secret: secret")
    refused = await refusal(fetcher(site), f"http://a.example:{site.port}/gone?token=secret")
    assert refused.reason == "URL_UNREACHABLE"
    assert "404" in refused.message
    assert "secret" not in refused.message + str(refused.metadata)


@pytest.mark.parametrize(
    ("statuses", "passing"), [((404, 403, 410), False), ((408, 425, 429, 500, 503), True)]
)
async def test_only_some_answers_may_be_others_later(site, statuses, passing):
    for status in statuses:
        site.has("/", b"", f"{status} Well")
        assert (await refusal(fetcher(site), home(site))).passing is passing, status


async def test_what_is_wrong_with_the_answer_itself_stays_so(site):
    site.has("/zip", gzip.compress(b"x"), "200 OK", "Content-Encoding: gzip")
    site.redirects("/round", "/round")
    for path in ("zip", "round"):
        assert not (await refusal(fetcher(site), home(site) + path)).passing, path


async def test_a_host_that_does_not_answer_may_do_so_later(site):
    async def never(writer):
        await asyncio.sleep(10)

    site.answers |= {"/never": never, "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"}
    for path in ("never", "cut"):
        assert (await refusal(fetcher(site, seconds=0.4), home(site) + path)).passing, path
    closed = fetcher(site, names=Names(a_example=["127.0.0.2"]), allowed=lambda address: True)
    assert (await refusal(closed, home(site))).passing


async def test_a_host_without_an_address_is_told_from_one_that_is_away(site):
    async def fails(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for names in (fails, Names(a_example=[])):
        refused = await refusal(fetcher(site, names=names), home(site))
        assert isinstance(refused, HostUnknown)
        assert "has no address" in refused.message


async def test_compressed_content_is_refused_unread(site):
    site.has("/", gzip.compress(bytes(10_000)), "200 OK", "Content-Encoding: gzip")
    assert (
        await refusal(fetcher(site), f"http://a.example:{site.port}/")
    ).reason == "URL_UNREACHABLE"


async def test_half_a_document_is_none(site):
    site.answers["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    assert (
        await refusal(fetcher(site), f"http://a.example:{site.port}/")
    ).reason == "URL_UNREACHABLE"
    site.answers["/"] = b"no HTTP at all\r\n\r\n"
    assert (
        await refusal(fetcher(site), f"http://a.example:{site.port}/")
    ).reason == "URL_UNREACHABLE"


async def test_a_slow_host_has_one_time_for_everything(site):
    async def trickle(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def never(writer):
        await asyncio.sleep(10)

    site.answers |= {"/trickle": trickle, "/never": never}
    there = fetcher(site, seconds=0.4)
    for path in ("/trickle", "/never"):
        began = asyncio.get_running_loop().time()
        refused = await refusal(there, f"http://a.example:{site.port}{path}")
        assert refused.reason == "URL_UNREACHABLE"
        assert "FETCH_TIMEOUT_SECONDS" in refused.message
        assert asyncio.get_running_loop().time() - began < 20


async def test_the_time_of_whoever_takes_the_bytes_does_not_count_as_a_wait(site):
    site.has("/", b"x" * 200_000)
    size = 0
    async for chunk in fetcher(site, seconds=2).chunks(f"http://a.example:{site.port}/", "url"):
        size += len(chunk)
        await asyncio.sleep(0.01)
    assert size == 200_000


async def test_a_certificate_is_checked_against_the_name_and_not_the_address(tmp_path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("site", "good.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trusted = ssl.create_default_context(cafile=str(authority.certificate))
    async with web(context) as site:
        site.has("/", b"private")
        there = fetcher(site, tls=trusted)
        assert await fetched(there, f"https://good.example:{site.port}/") == b"private"
        for host in ("bad.example", HOME):
            refused = await refusal(there, f"https://{host}:{site.port}/")
            assert refused.reason == "URL_UNREACHABLE"
        stranger = fetcher(site, tls=ssl.create_default_context())
        refused = await refusal(stranger, f"https://good.example:{site.port}/")
        assert refused.reason == "URL_UNREACHABLE"


async def test_proxies_of_the_environment_are_not_asked(site, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    site.has("/", b"direct")
    assert await fetched(fetcher(site), f"http://a.example:{site.port}/") == b"direct"
