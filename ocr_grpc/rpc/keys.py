"""The servicer of KeysService: parse, call, map."""

from ocr_grpc.accounts.api_keys import ApiKeys
from ocr_grpc.accounts.key_rows import NewKey
from ocr_grpc.metering.usage_queries import UsageFilter, UsageQueries, UsageScope
from ocr_grpc.rpc.accounts_mapping import changes_of, key_to_proto
from ocr_grpc.rpc.caller import current_actor, current_principal
from ocr_grpc.rpc.field_values import (
    limits_from_proto,
    optional_time_from_proto,
    scopes_from_proto,
    time_to_proto,
)
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.usage_mapping import group_to_proto, grouping_from_proto
from ocr_grpc.v1 import key_pb2
from ocr_grpc.v1 import keys_service_pb2 as pb
from ocr_grpc.v1.keys_service_pb2_grpc import KeysServiceServicer

UPDATABLE = frozenset({"display_name", "scopes", "disabled", "expire_time", "limits"})


class KeysServicer(KeysServiceServicer):
    """Answers KeysService."""

    def __init__(self, api_keys: ApiKeys, usage: UsageQueries) -> None:
        self._api_keys = api_keys
        self._usage = usage

    async def CreateKey(  # noqa: N802 - the name in the proto
        self, request: pb.CreateKeyRequest, context: Context
    ) -> pb.CreateKeyResponse:
        """Make a key."""
        key, secret = await self._api_keys.create(
            current_principal(), _new_key(request.key), current_actor()
        )
        return pb.CreateKeyResponse(key=key_to_proto(key), secret=secret)

    async def ListKeys(  # noqa: N802 - the name in the proto
        self, request: pb.ListKeysRequest, context: Context
    ) -> pb.ListKeysResponse:
        """Return the caller's keys."""
        keys, token = await self._api_keys.list(
            current_principal().user_id,
            request.show_revoked,
            request.page_size,
            request.page_token,
        )
        return pb.ListKeysResponse(keys=map(key_to_proto, keys), next_page_token=token)

    async def GetKey(  # noqa: N802 - the name in the proto
        self, request: pb.GetKeyRequest, context: Context
    ) -> pb.GetKeyResponse:
        """Return one key."""
        key = await self._api_keys.get(current_principal(), request.key_id)
        return pb.GetKeyResponse(key=key_to_proto(key))

    async def UpdateKey(  # noqa: N802 - the name in the proto
        self, request: pb.UpdateKeyRequest, context: Context
    ) -> pb.UpdateKeyResponse:
        """Change a key."""
        key = await self._api_keys.update(
            current_principal(),
            request.key_id,
            changes_of(request.key, request.update_mask, UPDATABLE),
            current_actor(),
        )
        return pb.UpdateKeyResponse(key=key_to_proto(key))

    async def RevokeKey(  # noqa: N802 - the name in the proto
        self, request: pb.RevokeKeyRequest, context: Context
    ) -> pb.RevokeKeyResponse:
        """Revoke a key."""
        key = await self._api_keys.revoke(
            current_principal().user_id, request.key_id, current_actor()
        )
        return pb.RevokeKeyResponse(key=key_to_proto(key))

    async def RotateKey(  # noqa: N802 - the name in the proto
        self, request: pb.RotateKeyRequest, context: Context
    ) -> pb.RotateKeyResponse:
        """Give a key a new secret."""
        key, secret, old_expire_time = await self._api_keys.rotate(
            current_principal(), request.key_id, request.overlap_seconds, current_actor()
        )
        return pb.RotateKeyResponse(
            key=key_to_proto(key),
            secret=secret,
            old_secret_expire_time=time_to_proto(old_expire_time),
        )

    async def GetKeyUsage(  # noqa: N802 - the name in the proto
        self, request: pb.GetKeyUsageRequest, context: Context
    ) -> pb.GetKeyUsageResponse:
        """Return sums of what was done with a key."""
        grouping = grouping_from_proto(request.grouping)
        chosen = UsageFilter(
            start_time=optional_time_from_proto(request, "start_time"),
            end_time=optional_time_from_proto(request, "end_time"),
        )
        key = await self._api_keys.get(current_principal(), request.key_id)
        scope = UsageScope(user_id=key.user_id, key_id=key.key_id)
        summary = await self._usage.summary(scope, chosen, grouping)
        return pb.GetKeyUsageResponse(
            total=group_to_proto(summary.total),
            groups=[group_to_proto(group, grouping) for group in summary.groups],
        )


def _new_key(key: key_pb2.ApiKey) -> NewKey:
    return NewKey(
        display_name=key.display_name,
        scopes=scopes_from_proto(list(key.scopes)),
        expire_time=optional_time_from_proto(key, "expire_time", "key.expire_time"),
        limits=limits_from_proto(key.limits, "key.limits"),
    )
