"""What an image file says of a picture besides its pixels: which way is up, how large it is."""

from typing import BinaryIO

from PIL import Image, ImageOps

_PLAUSIBLE_DPI = (36.0, 2400.0)
_ORIENTATION = 0x0112
_DEGREES = {1: 0, 2: 0, 3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
"""By how much an orientation turns a picture, clockwise; even ones below 5 only mirror it too."""
_MAX_HEIF_HEADER = 256 * 1024


def upright(image: Image.Image) -> Image.Image:
    """Return a decoded picture as it is meant to be shown."""
    return image if _orientation(image) == 1 else ImageOps.exif_transpose(image)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as it is meant to be shown; needs no pixels."""
    width, height = image.size
    return (height, width) if _DEGREES[_orientation(image)] % 180 else (width, height)


def rotation(image: Image.Image, file: BinaryIO) -> int:
    """Return by how many degrees clockwise the stored picture is turned to be shown."""
    if image.format == "HEIF":
        return _heif_rotation(file)
    return _DEGREES[_stated(image)]


def dpi(image: Image.Image) -> float:
    """Return the resolution that a file states, 0.0 if that is none or not plausible."""
    lowest, highest = _PLAUSIBLE_DPI
    try:
        across, down = (float(number) for number in image.info["dpi"])
        mean = (across + down) / 2
    except Exception:
        return 0.0
    if not lowest <= mean <= highest or abs(across - down) > 0.5 * mean:
        return 0.0
    return round(mean, 2)


def _orientation(image: Image.Image) -> int:
    """Return the orientation that is still to be applied."""
    # Pillow turns TIFF itself, size and all, and libheif turns HEIF, for which the standard says
    # to take no notice of EXIF.
    return 1 if image.format in ("TIFF", "HEIF") else _stated(image)


def _stated(image: Image.Image) -> int:
    try:
        stated = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1  # a damaged remark about the picture is no reason not to show it
    return stated if stated in _DEGREES else 1


def _heif_rotation(file: BinaryIO) -> int:
    """Return the rotation of the only picture of a HEIF file; 0 where there are several.

    Source: ISO/IEC 23008-12, section 6.5.10, `irot`: quarters of a turn, counterclockwise.
    """
    file.seek(0)
    head = file.read(_MAX_HEIF_HEADER)
    place = head.find(b"\0\0\0\x09irot")
    if place < 0 or len(head) < place + 9 or head.find(b"\0\0\0\x09irot", place + 9) >= 0:
        return 0
    return -90 * (head[place + 8] & 3) % 360
