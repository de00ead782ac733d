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
    assert HOSTS.allow(host, port)


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
    assert not HOSTS.allow(host, port)


def test_a_star_is_every_host_at_the_usual_ports():
    everywhere = AllowedHosts.parse("*")
    assert everywhere.allow("anything.example", 443)
    assert not everywhere.allow("anything.example", 22)


def test_an_empty_list_allows_nothing():
    assert not AllowedHosts.parse(" , ").entries


@pytest.mark.parametrize("dotted", ["Files.example.com.", "files.example.com.:443"])
def test_the_dot_at_the_end_of_a_name_changes_nothing(dotted):
    assert AllowedHosts.parse(dotted).allow("files.example.com", 443)
    assert AllowedHosts.parse("*.example.org.").allow("a.example.org", 80)


def test_an_international_name_is_told_how_to_be_written():
    with pytest.raises(ValueError, match="Punycode"):
        AllowedHosts.parse("bücher.example")
    assert AllowedHosts.parse("xn--bcher-kva.example").allow("xn--bcher-kva.example", 443)


@pytest.mark.parametrize(
    "text", ["https://a.example", "a.example/path", "a b", "*.*", "*.", "a..", "a.example:x"]
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ValueError, match="is no host"):
        AllowedHosts.parse(text)
