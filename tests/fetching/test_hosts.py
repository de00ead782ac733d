import pytest

from ocr_grpc.fetching.hosts import AllowedHosts

HOSTS = AllowedHosts.parse("files.example.com, *.example.org, Odd.example.net:8443,*.lab:9000")


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("files.example.com", 80),
        ("files.example.com", 443),
        ("a.example.org", 443),
        ("a.b.example.org", 443),
        ("odd.example.net", 8443),
        ("x.lab", 9000),
    ],
)
def test_a_host_in_the_list_may_be_asked(host, port):
    assert HOSTS.allow("https", host, port)
    assert HOSTS.allow("http", host, port)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("example.com", 443),
        ("a.files.example.com", 443),
        ("files.example.com.evil.net", 443),
        ("evilfiles.example.com", 443),
        ("files.example.com", 8443),
        ("example.org", 443),
        ("evilexample.org", 443),
        ("odd.example.net", 443),
        ("x.lab", 443),
        ("", 443),
    ],
)
def test_all_others_may_not(host, port):
    assert not HOSTS.allow("https", host, port)


def test_a_star_is_every_host_at_the_usual_ports():
    everywhere = AllowedHosts.parse("*")
    assert everywhere.allow("https", "anything.example", 443)
    assert not everywhere.allow("https", "anything.example", 22)


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("https://files.example.com", {("https", 443)}),
        ("http://files.example.com", {("http", 80)}),
        ("https://files.example.com:8443", {("https", 8443)}),
        ("https://*.example.com", {("https", 443)}),
        ("https://*", {("https", 443)}),
        ("http://*:*", {("http", 80), ("http", 443), ("http", 8443)}),
    ],
)
def test_an_entry_with_a_scheme_allows_that_scheme_alone(entry, allowed):
    hosts = AllowedHosts.parse(entry)
    asked = {(scheme, port) for scheme in ("http", "https") for port in (80, 443, 8443)}
    assert {one for one in asked if hosts.allow(one[0], "files.example.com", one[1])} == allowed


def test_a_star_in_place_of_a_port_is_every_port():
    hosts = AllowedHosts.parse("files.example.com:*")
    assert hosts.allow("https", "files.example.com", 8443)
    assert hosts.allow("http", "files.example.com", 22)
    assert not hosts.allow("https", "other.example.com", 8443)


def test_an_empty_list_allows_nothing():
    assert not AllowedHosts.parse(" , ").entries


@pytest.mark.parametrize("dotted", ["Files.example.com.", "files.example.com.:443"])
def test_the_dot_at_the_end_of_a_name_changes_nothing(dotted):
    assert AllowedHosts.parse(dotted).allow("https", "files.example.com", 443)
    assert AllowedHosts.parse("*.example.org.").allow("https", "a.example.org", 80)


def test_an_international_name_is_told_how_to_be_written():
    with pytest.raises(ValueError, match="Punycode"):
        AllowedHosts.parse("bücher.example")
    assert AllowedHosts.parse("xn--bcher-kva.example").allow("https", "xn--bcher-kva.example", 443)


@pytest.mark.parametrize(
    "text",
    [
        "ftp://a.example",
        "https://",
        "https://a.example/",
        "https:a.example",
        "a.example/path",
        "a b",
        "*.*",
        "*.",
        "a..",
        "a.example:x",
        "a.example:**",
    ],
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ValueError, match="is no host"):
        AllowedHosts.parse(text)
