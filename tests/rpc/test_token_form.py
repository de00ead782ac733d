import pytest

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.rpc.token_form import FORM_TYPE, PasswordGrant, RefreshGrant, parse_token_form

PASSWORD_FORM = b"username=alice&password=a%26b%2Bc+d"


def test_a_form_without_a_grant_type_signs_in():
    grant = parse_token_form(FORM_TYPE, PASSWORD_FORM)
    assert grant == PasswordGrant("alice", "a&b+c d")
    assert parse_token_form("", PASSWORD_FORM + b"&grant_type=password") == grant
    assert "a&b" not in repr(grant)


def test_a_refresh_token_gets_the_next_tokens():
    form = b"grant_type=refresh_token&refresh_token=abc"
    grant = parse_token_form(f"{FORM_TYPE}; charset=UTF-8", form)
    assert grant == RefreshGrant("abc")
    assert "abc" not in repr(grant)


def test_fields_that_other_grants_have_do_no_harm():
    assert parse_token_form("", PASSWORD_FORM + b"&scope=&client_id=x&client_secret=")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (b"", "username"),
        (b"username=alice", "password"),
        (b"username=alice&password=", "password"),
        (b"grant_type=refresh_token", "refresh_token"),
        (b"grant_type=client_credentials", "grant_type"),
        (b"grant_type=&" + PASSWORD_FORM, "grant_type"),
        (b"username=bob&" + PASSWORD_FORM, "username"),
        (b"grant_type=password&grant_type=refresh_token&" + PASSWORD_FORM, "grant_type"),
        (b"username", "content"),
        (b"username=%ff&password=x", "content"),
        (b"username=\xff&password=x", "content"),
        (b'{"username": "alice"}', "content"),
        (b"&".join([PASSWORD_FORM, *(b"f%d=x" % number for number in range(20))]), "content"),
        (b"username=alice&password=" + b"x" * 17_000, "content"),
    ],
)
def test_a_form_that_is_not_exactly_right_is_refused(form, field):
    with pytest.raises(InvalidField) as refused:
        parse_token_form(FORM_TYPE, form)
    assert refused.value.field == field


def test_another_kind_of_body_is_refused():
    with pytest.raises(InvalidField) as refused:
        parse_token_form("application/json", PASSWORD_FORM)
    assert refused.value.field == "content.content_type"
