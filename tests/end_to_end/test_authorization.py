"""Who may call what: every RPC of the contract, by everyone there is."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from ocr_grpc.accounts.opaque import make_key
from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.v1 import access_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from tests.people import House, Metadata, api_key, bearer, house
from tests.support import collect, reason_of

ANYONE = "anyone"
SESSION = "session"
ADMIN = "admin"

# Written down once more by hand: a change of who may call what must be meant.
DECLARED = {
    "AuthService": {
        "Register": ANYONE,
        "Login": ANYONE,
        "IssueToken": ANYONE,
        "RefreshToken": ANYONE,
        "VerifyEmail": ANYONE,
        "RequestPasswordReset": ANYONE,
        "ResetPassword": ANYONE,
        "Logout": SESSION,
        "UpdateMe": SESSION,
        "ChangePassword": SESSION,
        "RequestEmailVerification": SESSION,
        "GetMe": "any key",
    },
    "KeysService": {
        "CreateKey": "keys",
        "ListKeys": "keys",
        "GetKey": "keys",
        "UpdateKey": "keys",
        "RevokeKey": "keys",
        "RotateKey": "keys",
        "GetKeyUsage": "usage",
    },
    "OcrService": {
        "Extract": "ocr",
        "StreamExtract": "ocr",
        "UploadExtract": "ocr",
        "Inspect": "ocr",
        "ResumeExtract": "ocr",
        "GetCapabilities": ANYONE,
    },
    "CompatibilityService": {
        "RecognizeDocument": "ocr",
        "CreateChatCompletion": "ocr",
        "ListModels": "ocr",
    },
    "BatchService": dict.fromkeys(
        [
            "CreateBatch",
            "ListBatches",
            "UploadDocument",
            "DeleteUpload",
            "GetBatch",
            "DeleteBatch",
            "WatchBatch",
            "CancelBatch",
            "ListBatchDocuments",
            "GetBatchDocument",
            "DownloadBatchDocument",
            "DownloadBatch",
        ],
        "batches",
    ),
    "WebhooksService": dict.fromkeys(
        [
            "CreateWebhook",
            "ListWebhooks",
            "GetWebhook",
            "UpdateWebhook",
            "DeleteWebhook",
            "RotateWebhookSecret",
            "ListWebhookDeliveries",
            "ResendWebhookDelivery",
        ],
        "batches",
    ),
    "UsageService": {"ListUsage": "usage", "GetUsageSummary": "usage"},
    "OrganizationsService": {
        "CreateOrganization": ADMIN,
        "ListOrganizations": ADMIN,
        "DeleteOrganization": ADMIN,
        "GetOrganization": "usage",
        "ListMembers": "usage",
        "UpdateOrganization": SESSION,
        "UpdateMember": SESSION,
        "RemoveMember": SESSION,
        "InviteMember": SESSION,
        "AcceptInvite": SESSION,
    },
    "AdminService": dict.fromkeys(
        [
            "ListUsers",
            "CreateUser",
            "GetUser",
            "UpdateUser",
            "DeleteUser",
            "ListKeys",
            "RevokeKey",
            "CreateInvite",
            "ListInvites",
            "DeleteInvite",
            "GetStats",
            "ListUsage",
            "GetUsageSummary",
            "ListAuditEvents",
            "GetSystemHealth",
            "ListDeadLetters",
            "ResendDeadLetter",
        ],
        ADMIN,
    ),
}

METHODS = [method for service in SERVICES for method in service.methods]
REFUSALS = {
    "CREDENTIALS_MISSING",
    "INSUFFICIENT_SCOPE",
    "SESSION_REQUIRED",
    "ROLE_REQUIRED",
    "KEY_EXPIRED",
    "KEY_DISABLED",
    "KEY_INVALID",
    "TOKEN_INVALID",
    "SESSION_REVOKED",
    "USER_DISABLED",
}
SCOPES = {
    "ocr": access_pb2.SCOPE_OCR,
    "batches": access_pb2.SCOPE_BATCHES,
    "keys": access_pb2.SCOPE_KEYS,
    "usage": access_pb2.SCOPE_USAGE,
}


def asked(method: MethodDescriptor) -> str:
    return DECLARED[method.containing_service.name][method.name]


def test_every_rpc_declares_who_may_call_it():
    for method in METHODS:
        access = method.GetOptions().Extensions[access_pb2.access]
        assert access.audience, f"{method.full_name} has no `option (access)`."
        assert (access.audience == access_pb2.AUDIENCE_ADMINS) == (
            access.scope == access_pb2.SCOPE_ADMIN
        )


def test_the_declarations_are_those_meant():
    found: dict[str, dict[str, str]] = {}
    for method in METHODS:
        access = method.GetOptions().Extensions[access_pb2.access]
        by_audience = {
            access_pb2.AUDIENCE_ANYONE: ANYONE,
            access_pb2.AUDIENCE_SESSIONS: SESSION,
            access_pb2.AUDIENCE_ADMINS: ADMIN,
        }
        scope = access_pb2.Scope.Name(access.scope).removeprefix("SCOPE_").lower()
        word = by_audience.get(access.audience) or ("any key" if not access.scope else scope)
        found.setdefault(method.containing_service.name, {})[method.name] = word
    assert found == DECLARED


def expected(method: MethodDescriptor, who: str) -> str | None:
    """Return the reason somebody is refused with, None if the call goes through."""
    needs = asked(method)
    if needs == ANYONE:
        return None
    if who in ("anonymous", "basic"):
        return "CREDENTIALS_MISSING"
    if reason := {
        "expired key": "KEY_EXPIRED",
        "revoked key": "KEY_REVOKED",
        "disabled key": "KEY_DISABLED",
        "mistyped key": "KEY_INVALID",
        "unknown key": "KEY_INVALID",
        "ended session": "SESSION_REVOKED",
        "forged token": "TOKEN_INVALID",
        "disabled user": "USER_DISABLED",
    }.get(who):
        return reason
    is_key = who.endswith("key")
    if needs == SESSION:
        return "SESSION_REQUIRED" if is_key else None
    if needs == ADMIN:
        if who in ("administrator", "admin's admin key"):
            return None
        if who == "admin's ocr key":
            return "INSUFFICIENT_SCOPE"
        return "ROLE_REQUIRED"
    if who == "admin's ocr key":
        return None if needs in ("ocr", "any key") else "INSUFFICIENT_SCOPE"
    if who == "admin's admin key":
        return None if needs == "any key" else "INSUFFICIENT_SCOPE"
    if is_key and needs != "any key":
        return None if who == f"{needs} key" else "INSUFFICIENT_SCOPE"
    return None


async def everyone(home: House) -> dict[str, Metadata]:
    """Return one of each kind of caller."""
    _, user = await home.register("somebody")
    _, other = await home.register("other")
    admin = await home.admin()
    people = {
        "anonymous": (),
        "basic": (("authorization", "Basic c29tZWJvZHk6cGFzcw=="),),
        "user": user,
        "other user": other,
        "administrator": admin,
        "forged token": bearer(user[0][1].removeprefix("Bearer ")[:-4] + "AAAA"),
        "mistyped key": api_key("ocr_" + "a" * 38),
    }
    for scope, value in SCOPES.items():
        people[f"{scope} key"] = (await home.key(user, value))[1]
    people["admin's ocr key"] = (await home.key(admin, access_pb2.SCOPE_OCR))[1]
    people["admin's admin key"] = (await home.key(admin, access_pb2.SCOPE_ADMIN))[1]
    everything = list(SCOPES.values())
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    _, people["expired key"] = await home.key(user, *everything, expire_time=soon)
    revoked, people["revoked key"] = await home.key(user, *everything)
    await home.keys.RevokeKey(keys_pb.RevokeKeyRequest(key_id=revoked), metadata=user)
    disabled, people["disabled key"] = await home.key(user, *everything)
    await home.keys.UpdateKey(
        keys_pb.UpdateKeyRequest(key_id=disabled, key={"disabled": True}), metadata=user
    )
    _, people["ended session"] = await home.register("gone")
    await home.auth.Logout(auth_pb.LogoutRequest(), metadata=people["ended session"])
    lost, people["disabled user"] = await home.register("lost")
    await home.admins.UpdateUser(
        admin_pb.UpdateUserRequest(user_id=lost, user={"disabled": True}), metadata=admin
    )
    people["unknown key"] = api_key(make_key())
    await asyncio.sleep(0.4)
    return people


async def outcome(home: House, method: MethodDescriptor, metadata: Metadata) -> str:
    """Call with an empty request; return the reason of the refusal, or nothing."""
    kind = (
        ("stream" if method.client_streaming else "unary")
        + "_"
        + ("stream" if method.server_streaming else "unary")
    )
    request = GetMessageClass(method.input_type)()
    call = getattr(home.channel, kind)(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )(iter([request]) if method.client_streaming else request, metadata=metadata, timeout=20)
    try:
        await (collect(call) if method.server_streaming else call)
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return ""


async def test_everyone_gets_what_the_contract_says(tmp_path, backend):
    surprises = []
    async with house(tmp_path, **backend.settings) as home:
        people = await everyone(home)
        for method in METHODS:
            for who, metadata in people.items():
                if method.name == "Logout" and not expected(method, who):
                    _, metadata = await home.register(f"leaver-{who.replace(' ', '-')}")
                got = await outcome(home, method, metadata)
                want = expected(method, who)
                if (want and got != want) or (not want and got in REFUSALS):
                    surprises.append((method.full_name, who, got, want))
    assert not surprises
