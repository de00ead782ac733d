"""Good pictures in every format that Pillow writes, in the modes that differ."""

from collections.abc import Callable
from functools import partial

from PIL import Image

from tests.support import encoded, picture

SIZE = (160, 60)


def _picture(kind: str, mode: str = "RGB", **options) -> bytes:
    return encoded(picture(("words",), SIZE).convert(mode), kind, **options)


def _frames(kind: str, **options) -> bytes:
    frames = [picture((f"page {n}",), SIZE, n).convert("L") for n in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def _avif_frames() -> bytes:
    """Return frames without the times at which they were made, which differ in each run."""
    content = bytearray(_frames("AVIF"))
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        at = content.index(box) + 4
        length = 16 if content[at] else 8
        content[at + 4 : at + 4 + length] = bytes(length)
    return bytes(content)


def _with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "turned by a camera"
    return _picture("JPEG", exif=exif, dpi=(200, 200))


def _heif() -> bytes:
    """Return a HEIF file that says it is coded as HEVC; its picture is AV1, so it is damaged."""
    return _picture("AVIF").replace(b"ftypavif", b"ftypheic").replace(b"av01", b"hvc1")


MAKERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "png": ("png", partial(_picture, "PNG", dpi=(150, 150))),
    "png, 1 bit": ("png", partial(_picture, "PNG", "1")),
    "png, palette": ("png", partial(_picture, "PNG", "P")),
    "png, alpha": ("png", partial(_picture, "PNG", "RGBA")),
    "png, 16 bit": ("png", partial(_picture, "PNG", "I;16")),
    "png, animated": ("png", partial(_frames, "PNG")),
    "jpeg": ("jpg", partial(_picture, "JPEG")),
    "jpeg, progressive": ("jpg", partial(_picture, "JPEG", progressive=True)),
    "jpeg, CMYK": ("jpg", partial(_picture, "JPEG", "CMYK")),
    "jpeg, turned": ("jpg", _with_exif),
    "tiff": ("tif", partial(_frames, "TIFF")),
    "tiff, LZW": ("tif", partial(_frames, "TIFF", compression="tiff_lzw")),
    "tiff, deflate": ("tif", partial(_picture, "TIFF", compression="tiff_adobe_deflate")),
    "tiff, JPEG": ("tif", partial(_picture, "TIFF", compression="jpeg")),
    "tiff, fax": ("tif", partial(_picture, "TIFF", "1", compression="group4")),
    "bmp": ("bmp", partial(_picture, "BMP")),
    "bmp, palette": ("bmp", partial(_picture, "BMP", "P")),
    "gif": ("gif", partial(_frames, "GIF")),
    "webp": ("webp", partial(_picture, "WEBP")),
    "webp, lossless": ("webp", partial(_picture, "WEBP", "RGBA", lossless=True)),
    "webp, animated": ("webp", partial(_frames, "WEBP")),
    "avif": ("avif", partial(_picture, "AVIF")),
    "avif, animated": ("avif", _avif_frames),
    "heif": ("heic", _heif),
    "jpeg 2000": ("jp2", partial(_picture, "JPEG2000")),
    "jpeg 2000, bare": ("j2k", partial(_picture, "JPEG2000", no_jp2=True)),
}
