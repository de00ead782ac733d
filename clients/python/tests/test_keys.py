"""KeysService: all of its RPCs."""

import pytest
from conftest import records_of, setting

from ocr_grpc_client import OcrClient, OcrError
from ocr_grpc_client.messages import (
    ApiKey,
    CreateKeyRequest,
    FieldMask,
    GetCapabilitiesRequest,
    GetKeyRequest,
    GetKeyUsageRequest,
    GetMeRequest,
    KeyState,
    ListKeysRequest,
    RevokeKeyRequest,
    RotateKeyRequest,
    Scope,
    UpdateKeyRequest,
)


async def test_a_key_is_made_and_used(person, door):
    async with OcrClient(door, api_key=await person.key(Scope.OCR)) as client:
        assert (await client.auth.get_me(GetMeRequest())).user.user_name == person.name
        assert (await client.ocr.get_capabilities(GetCapabilitiesRequest())).engines
        with pytest.raises(OcrError) as refused:
            await client.keys.list_keys(ListKeysRequest())
    assert refused.value.reason == "INSUFFICIENT_SCOPE"


async def test_keys_are_listed_shown_and_changed(ann):
    keys = ann.client.keys
    made = (await keys.create_key(CreateKeyRequest(key=ApiKey(display_name="ci")))).key
    assert [key.key_id for key in (await keys.list_keys(ListKeysRequest())).keys] == [made.key_id]
    changed = await keys.update_key(
        UpdateKeyRequest(
            key_id=made.key_id,
            key=ApiKey(display_name="nightly", disabled=True),
            update_mask=FieldMask(paths=["display_name", "disabled"]),
        )
    )
    assert (changed.key.display_name, changed.key.state) == ("nightly", KeyState.DISABLED)
    shown = (await keys.get_key(GetKeyRequest(key_id=made.key_id))).key
    assert shown == changed.key


async def test_a_rotated_key_has_a_new_secret_and_a_revoked_one_none(ann):
    keys = ann.client.keys
    made = await keys.create_key(CreateKeyRequest(key=ApiKey(scopes=[Scope.OCR])))
    rotated = await keys.rotate_key(RotateKeyRequest(key_id=made.key.key_id, overlap_seconds=3600))
    assert rotated.old_secret_expire_time
    for secret in (made.secret, rotated.secret):
        async with OcrClient(setting("OCR_GRPC"), api_key=secret) as client:
            await client.auth.get_me(GetMeRequest())
    revoked = await keys.revoke_key(RevokeKeyRequest(key_id=made.key.key_id))
    assert revoked.key.state is KeyState.REVOKED
    async with OcrClient(setting("OCR_GRPC"), api_key=rotated.secret) as client:
        with pytest.raises(OcrError) as refused:
            await client.auth.get_me(GetMeRequest())
    assert refused.value.code.name == "UNAUTHENTICATED"


async def test_what_a_key_was_used_for_is_summed_up(ann):
    made = await ann.client.keys.create_key(CreateKeyRequest(key=ApiKey(scopes=[Scope.OCR])))
    async with OcrClient(setting("OCR_GRPC"), api_key=made.secret) as client:
        await client.read(b"Hello", file_name="a.txt")
    await records_of(ann.client, "OcrService/UploadExtract")
    used = await ann.client.keys.get_key_usage(GetKeyUsageRequest(key_id=made.key.key_id))
    assert (used.total.calls, used.total.usage.pages) == (1, 1)
