"""Which fields an update changes, and single values of messages."""

from datetime import UTC, datetime

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from ocr_grpc.accounts.errors import FieldNotUpdatable, InvalidField
from ocr_grpc.accounts.principal import OrganizationRole, OwnLimits, Role, Scope
from ocr_grpc.rpc.access import SCOPES
from ocr_grpc.rpc.field_changes import changes_of
from ocr_grpc.rpc.field_values import (
    organization_role_from_proto,
    organization_role_to_proto,
    role_from_proto,
    role_to_proto,
    scopes_from_proto,
    scopes_to_proto,
    time_to_proto,
)
from ocr_grpc.v1 import access_pb2, key_pb2, user_pb2

UPDATABLE = frozenset({"email", "display_name", "role", "disabled", "limits"})
KEY_UPDATABLE = frozenset({"scopes", "expire_time"})


def test_without_a_mask_what_is_set_changes():
    user = user_pb2.User(email="a@example.com", role=user_pb2.ROLE_BUSINESS)
    user.limits.pages_per_month = 0
    assert changes_of(user, FieldMask(), UPDATABLE) == {
        "email": "a@example.com",
        "role": Role.BUSINESS,
        "limits.pages_per_month": 0,
    }


@pytest.mark.parametrize("user", [{}, {"limits": {}}, {"display_name": "", "disabled": False}])
def test_an_update_that_names_no_field_is_refused(user):
    with pytest.raises(InvalidField, match="name one in update_mask") as refused:
        changes_of(user_pb2.User(**user), FieldMask(), UPDATABLE)
    assert refused.value.field == "update_mask"
    assert changes_of(user_pb2.User(**user), FieldMask(), UPDATABLE, may_be_none=True) == {}


def test_a_mask_clears_what_is_empty():
    user = user_pb2.User(email="a@example.com", limits={"calls_per_minute": 5})
    mask = FieldMask(paths=["display_name", "disabled", "role", "limits.pages_per_month"])
    assert changes_of(user, mask, UPDATABLE) == {
        "display_name": "",
        "disabled": False,
        "role": Role.USER,
        "limits.pages_per_month": None,
    }
    whole = changes_of(user, FieldMask(paths=["limits"]), UPDATABLE)
    assert whole == {"limits": OwnLimits(5, None, None)}
    mask = FieldMask(paths=["scopes", "expire_time"])
    nothing = changes_of(key_pb2.ApiKey(), mask, KEY_UPDATABLE)
    assert nothing == {"scopes": frozenset(), "expire_time": None}


NOT_UPDATABLE = (
    "user_id effective_limits email_verified x * . email.x user.email limits.x limits. Email "
    "__class__ " + "ö" * 1_000
).split()


@pytest.mark.parametrize("path", ["", *NOT_UPDATABLE])
def test_what_cannot_be_changed_is_refused_with_its_name(path):
    with pytest.raises(FieldNotUpdatable) as refused:
        changes_of(user_pb2.User(), FieldMask(paths=["email", path]), UPDATABLE)
    assert refused.value.field == path[:64]


def test_what_cannot_be_changed_is_refused_without_a_mask_too():
    with pytest.raises(FieldNotUpdatable):
        changes_of(user_pb2.User(user_id="x"), FieldMask(), UPDATABLE)
    limited = user_pb2.User(limits={"pages_per_month": 1})
    with pytest.raises(FieldNotUpdatable):
        changes_of(limited, FieldMask(), frozenset({"email"}))


def test_a_limit_below_zero_is_refused():
    user = user_pb2.User(limits={"concurrent_streams": -1})
    for paths in ([], ["limits"], ["limits.concurrent_streams"]):
        with pytest.raises(InvalidField) as refused:
            changes_of(user, FieldMask(paths=paths), UPDATABLE)
        assert refused.value.field == "limits.concurrent_streams"


@pytest.mark.parametrize(
    "timestamp",
    [{"seconds": 2**62}, {"seconds": -(2**62)}, {"nanos": -1}, {"nanos": 2_000_000_000}],
)
def test_a_time_that_is_none_is_refused(timestamp):
    key = key_pb2.ApiKey(expire_time=Timestamp(**timestamp))
    with pytest.raises(InvalidField):
        changes_of(key, FieldMask(), KEY_UPDATABLE)


def test_a_time_arrives_as_it_left():
    moment = datetime(2026, 11, 21, 12, 30, 1, 250_000, UTC)
    key = key_pb2.ApiKey(expire_time=time_to_proto(moment))
    assert changes_of(key, FieldMask(), KEY_UPDATABLE) == {"expire_time": moment}


def test_every_role_and_scope_has_its_number_and_no_number_is_guessed():
    assert {role_from_proto(role_to_proto(role)) for role in Role} == set(Role)
    for role in OrganizationRole:
        assert organization_role_from_proto(organization_role_to_proto(role)) is role
    assert scopes_from_proto(scopes_to_proto(frozenset(Scope))) == frozenset(Scope)
    assert len(SCOPES) == len(access_pb2.Scope.values()) - 1
    for unknown in (-1, 99):
        with pytest.raises(InvalidField):
            role_from_proto(unknown)
        with pytest.raises(InvalidField):
            organization_role_from_proto(unknown)
    for unknown in (access_pb2.SCOPE_UNSPECIFIED, 99):
        with pytest.raises(InvalidField):
            scopes_from_proto([access_pb2.SCOPE_OCR, unknown])
