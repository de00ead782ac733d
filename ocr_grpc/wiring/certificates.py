"""Opens the certificate that the settings name, if they name one."""

import asyncio
from contextlib import AsyncExitStack

from ocr_grpc.certificates import CertificateFiles, CertificateUnusable, CertificateWatch
from ocr_grpc.settings import Settings
from ocr_grpc.telemetry.exposition import Exposition
from ocr_grpc.wiring.errors import CannotServe


async def open_certificates(
    settings: Settings, metrics: Exposition, stack: AsyncExitStack
) -> CertificateWatch | None:
    """Return the watch over the certificate, until `stack` closes; None without TLS.

    Raises:
        CannotServe: the files cannot be used.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    files = CertificateFiles(settings.tls_cert_file, settings.tls_key_file)
    try:
        watch = await asyncio.to_thread(CertificateWatch, files)
    except CertificateUnusable as error:
        raise CannotServe(str(error)) from None
    watch.follow(lambda pair: metrics.certificate_expires(pair.expire_time))
    stack.push_async_callback(watch.close)
    watch.start()
    return watch
