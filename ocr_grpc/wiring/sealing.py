"""Opens what seals columns of the database."""

import asyncio

from ocr_grpc.accounts.tokens import load_secret
from ocr_grpc.settings import Settings
from ocr_grpc.store.sealing import Seal


async def open_seal(settings: Settings) -> Seal:
    """Return the seal of this installation: of `SECRET_KEY`, or of the secret under `DATA_DIR`."""
    secret = settings.secret_key.get_secret_value()
    return Seal(await asyncio.to_thread(load_secret, settings.data_dir, secret))
