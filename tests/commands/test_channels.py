"""Which servers commands speak TLS to, and what they keep apart for it."""

import time

import grpc
import pytest

from ocr_grpc.commands.addresses import ServerAddress, find_server
from ocr_grpc.commands.calls import told
from ocr_grpc.commands.channels import open_channel
from ocr_grpc.commands.credentials import Credentials
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.sessions import Session, SessionFile
from tests.certificates import Authority

KEY = "ocr_" + "x" * 38


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCR_CA_FILE", raising=False)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://ocr.example.com:50051", ServerAddress("ocr.example.com:50051", tls=True)),
        ("HTTPS://ocr.example.com/", ServerAddress("ocr.example.com", tls=True)),
        ("https://[2001:db8::1]:443", ServerAddress("[2001:db8::1]:443", tls=True)),
        ("http://ocr.example.com:50051", ServerAddress("ocr.example.com:50051")),
        ("ocr.example.com:50051", ServerAddress("ocr.example.com:50051")),
    ],
)
def test_https_in_front_of_an_address_means_tls(address, found):
    assert find_server(address) == found


@pytest.mark.parametrize("address", ["https://", "https://a:1/v1", "http://u:p@a:1", "https://a?b"])
def test_what_is_more_than_an_address_is_refused(address):
    with pytest.raises(CommandFailed, match="is no address like") as failed:
        find_server(address)
    assert failed.value.exit_code == 2


def test_this_machines_own_server_is_spoken_to_as_its_settings_say(monkeypatch, tmp_path):
    assert not find_server("").tls
    monkeypatch.setenv("TLS_CERT_FILE", str(tmp_path / "tls.crt"))
    monkeypatch.setenv("TLS_KEY_FILE", str(tmp_path / "tls.key"))
    for address in ("", "localhost:50051", "https://localhost:50051"):
        server = find_server(address)
        assert server.tls
        assert server.certificate.chain == tmp_path / "tls.crt"
        assert server.local_key
    assert not find_server("http://localhost:50051").tls
    assert find_server("https://other:50051") == ServerAddress("other:50051", tls=True)


def test_a_setting_that_names_another_machine_does_not_say_what_to_trust(monkeypatch, tmp_path):
    monkeypatch.setenv("TLS_CERT_FILE", str(tmp_path / "tls.crt"))
    monkeypatch.setenv("TLS_KEY_FILE", str(tmp_path / "tls.key"))
    monkeypatch.setenv("HOST", "192.0.2.7")
    assert find_server("") == ServerAddress("192.0.2.7:50051", tls=True)


def test_a_login_over_tls_is_not_presented_in_plain_text(tmp_path):
    sessions = SessionFile(tmp_path)
    secure, plain = ServerAddress("ocr.example.com:1", tls=True), ServerAddress("ocr.example.com:1")
    with sessions.locked():
        sessions.put(secure.name, Session("a0", "r0", time.time() + 900, "ada"))
    found = Credentials(secure, {}, sessions).find()
    assert found
    assert found.metadata == (("authorization", "Bearer a0"),)
    assert Credentials(plain, {}, sessions).find() is None


def test_credentials_over_tls_are_not_warned_of(tmp_path, capsys):
    for tls in (True, False):
        server = ServerAddress("ocr.example.com:1", tls=tls)
        Credentials(server, {"OCR_API_KEY": KEY}, SessionFile(tmp_path)).find()
        said = capsys.readouterr().err
        assert ("unencrypted" in said) is not tls
        assert ("https://" in said) is not tls


def test_a_file_of_trusted_certificates_that_is_missing_is_said_so(monkeypatch):
    monkeypatch.setenv("OCR_CA_FILE", "/nowhere/ca.pem")
    with pytest.raises(CommandFailed, match=r"OCR_CA_FILE: /nowhere/ca\.pem: No such file"):
        open_channel(ServerAddress("127.0.0.1:1", tls=True))


def test_a_certificate_of_this_machine_that_cannot_be_read_is_said_so(monkeypatch, tmp_path):
    monkeypatch.setenv("TLS_CERT_FILE", str(tmp_path / "tls.crt"))
    monkeypatch.setenv("TLS_KEY_FILE", str(tmp_path / "tls.key"))
    with pytest.raises(CommandFailed, match=r"TLS_CERT_FILE: .*OCR_ADDRESS"):
        open_channel(find_server(""))


@pytest.mark.parametrize("names", [("ocr.example.com",), ("*.example.com",), ("192.0.2.7",)])
def test_this_machines_own_server_is_trusted_for_the_certificate_it_was_given(
    names, monkeypatch, tmp_path
):
    chain, key = Authority(tmp_path).issue("own", *names)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
    server = grpc.server(None)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    monkeypatch.setenv("TLS_CERT_FILE", str(chain))
    monkeypatch.setenv("TLS_KEY_FILE", str(key))
    monkeypatch.setenv("GRPC_PORT", str(port))
    with open_channel(find_server("")) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
    server.stop(None).wait()


def test_a_server_that_speaks_no_tls_is_said_so():
    server = grpc.server(None)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with (
        open_channel(ServerAddress(f"127.0.0.1:{port}", tls=True)) as channel,
        pytest.raises(grpc.RpcError) as failed,
    ):
        channel.unary_unary("/a.B/C")(b"", timeout=10)
    assert "no TLS" in told(failed.value)[1]
    server.stop(None).wait()
