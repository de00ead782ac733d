import base64
import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from ocr_grpc.accounts.errors import TokenExpired, TokenInvalid
from ocr_grpc.accounts.opaque import make_token
from ocr_grpc.accounts.tokens import load_secret
from ocr_grpc.settings import SettingsError
from tests.accounts.credentials import SECRET, tokens_of

KEY = SECRET.ljust(64, b"\0")  # for HMAC the same key


def claims(**changes):
    now = int(time.time())
    good = {
        "iss": "ocr_grpc",
        "aud": "ocr_grpc",
        "sub": "5" * 24,
        "sid": "6" * 24,
        "jti": "7" * 24,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(payload, key=KEY, algorithm="HS256", **header):
    return jwt.encode(payload, key, algorithm, headers={"typ": "at+jwt", **header})


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_a_token_says_whose_session_it_is_and_when_it_expires():
    token, expires_in = tokens_of().issue("5" * 24, "6" * 24)
    said = tokens_of().read(token)
    assert (said.user_id, said.session_id, expires_in) == ("5" * 24, "6" * 24, 1800)
    assert timedelta(0) <= datetime.now(UTC) + timedelta(seconds=1800) - said.expire_time
    assert said.expire_time - datetime.now(UTC) > timedelta(seconds=1795)


def test_no_two_tokens_are_the_same():
    assert len({tokens_of().issue("5", "6")[0] for _ in range(100)}) == 100


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_each_algorithm_signs_with_the_secret_as_it_is(algorithm):
    token, _ = tokens_of(algorithm=algorithm).issue("5", "6")
    assert tokens_of(algorithm=algorithm).read(token).user_id == "5"
    assert jwt.decode(token, KEY, [algorithm], audience="ocr_grpc")["sub"] == "5"


def test_a_token_as_made_here_is_good():
    assert tokens_of().read(signed(claims())).session_id == "6" * 24


def test_an_expired_token_says_so():
    with pytest.raises(TokenExpired):
        tokens_of().read(signed(claims(exp=int(time.time()))))
    expired, _ = tokens_of(lifetime=timedelta(seconds=-1)).issue("5", "6")
    with pytest.raises(TokenExpired):
        tokens_of().read(expired)


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"])
def test_every_claim_is_required(name):
    with pytest.raises(TokenInvalid):
        tokens_of().read(signed(claims(**{name: None})))


NOW = time.time()


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "other"},
        {"aud": ["ocr_grpc"]},
        {"aud": ["other", "ocr_grpc"]},
        {"iss": "other"},
        {"iat": int(NOW) + 3600},
        {"nbf": int(NOW) + 3600},
        {"exp": str(int(NOW) + 3600)},
        {"exp": NOW + 3600.5},
        {"exp": 10**30},
        {"exp": float("inf")},
        {"exp": True},
        {"iat": float("-inf")},
        {"iat": -5},
        {"nbf": [1]},
        {"sub": 5},
        {"sub": ""},
        {"sub": "5" * 33},
        {"sub": "5\0"},
        {"sub": {"user": "5"}},
        {"sid": "6'; DROP TABLE users"},
        {"sid": ["6"]},
        {"jti": "7" * 2000},
        {"jti": 7},
    ],
    ids=lambda changes: ", ".join(f"{name} {type(it).__name__}" for name, it in changes.items()),
)
def test_a_claim_of_the_wrong_value_type_or_length_is_refused(changes):
    with pytest.raises(TokenInvalid):
        tokens_of().read(signed(claims(**changes)))


@pytest.mark.parametrize("kind", ["JWT", "", "application/at+jwt", None, 5, "AT+JWT"])
def test_a_token_of_another_kind_is_refused(kind):
    with pytest.raises(TokenInvalid):
        tokens_of().read(signed(claims(), typ=kind))


def test_a_token_without_a_signature_is_refused():
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        header = encoded({"alg": algorithm, "typ": "at+jwt"})
        for signature in ("", encoded(b"x" * 32)):
            with pytest.raises(TokenInvalid):
                tokens_of().read(f"{header}.{encoded(claims())}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_right_secret_with_another_algorithm_is_refused(algorithm):
    with pytest.raises(TokenInvalid):
        tokens_of().read(signed(claims(), algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "PS256", "EdDSA", ["HS256"], 1, None])
def test_a_token_that_asks_for_an_asymmetric_algorithm_is_refused(algorithm):
    # Key confusion: the header changes how the same bytes are checked.
    good = signed(claims())
    _, body, signature = good.split(".")
    header = encoded({"alg": algorithm, "typ": "at+jwt"})
    with pytest.raises(TokenInvalid):
        tokens_of().read(f"{header}.{body}.{signature}")


def test_a_key_that_the_token_brings_is_not_believed():
    own = b"the attacker's own key, 32 bytes" * 2
    jwk = {"kty": "oct", "k": encoded(own)}
    with pytest.raises(TokenInvalid):
        tokens_of().read(signed(claims(), key=own, jwk=jwk, jku="https://example.org", kid="1"))


def test_a_token_of_another_secret_is_refused():
    with pytest.raises(TokenInvalid):
        tokens_of(secret=b"another secret of more than 32 bytes").read(signed(claims()))


def test_no_part_of_a_token_can_be_missing_or_changed():
    good, _ = tokens_of().issue("5" * 24, "6" * 24)
    for length in range(len(good)):
        with pytest.raises(TokenInvalid):
            tokens_of().read(good[:length])
    for at in range(0, len(good), 7):
        changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        with pytest.raises((TokenInvalid, TokenExpired)):
            tokens_of().read(changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        make_token(),
        "ocr_" + "x" * 38,
        "\ud800.a.b",
        "é.é.é",
        "\0",
        "A" * 5000,
        encoded(b"[" * 1500) + ".e30.AAAA",
        encoded(b'{"alg":' * 400) + ".e30.AAAA",
        encoded([1]) + ".e30.AAAA",
        encoded(b"\xff\xfe") + ".e30.AAAA",
    ],
    ids=range(15),
)
def test_what_is_no_token_is_refused(text):
    with pytest.raises(TokenInvalid):
        tokens_of().read(text)


def test_a_token_beyond_4_kib_is_not_even_parsed():
    with pytest.raises(TokenInvalid):
        tokens_of().read(signed(claims(more="x" * 4000)))


def test_signed_but_deeply_nested_claims_are_refused():
    body = b'{"sub":' + b"[" * 1400 + b"]" * 1400 + b"}"
    token = jwt.PyJWS().encode(body, KEY, "HS256", headers={"typ": "at+jwt"})
    with pytest.raises(TokenInvalid):
        tokens_of().read(token)


def test_a_clock_some_seconds_ahead_does_no_harm():
    ahead = int(time.time()) + 3
    assert tokens_of().read(signed(claims(iat=ahead, nbf=ahead)))


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    folder = tmp_path / "data"
    secret = load_secret(folder, "")
    path = folder / "secret.key"
    assert len(secret) >= 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_secret(folder, "") == secret
    assert [each.name for each in folder.iterdir()] == ["secret.key"]


def test_a_configured_secret_goes_first_and_leaves_no_file(tmp_path):
    assert load_secret(tmp_path, "s" * 32) == b"s" * 32
    assert not list(tmp_path.iterdir())


def test_a_damaged_secret_is_not_used(tmp_path):
    (tmp_path / "secret.key").write_text("short")
    with pytest.raises(SettingsError, match="is damaged"):
        load_secret(tmp_path, "")
