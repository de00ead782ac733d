"""PDFs with damage in fonts, pictures, references and tables, or too many of something."""

import re
import zlib
from random import Random

from PIL import ImageFont

from tests.documents.samples import objects_pdf, page_pdf, prose_pdf, stream
from tests.fuzz.byte_damage import EVIL_WORDS
from tests.fuzz.good_documents import good
from tests.fuzz.pdf_tables import CATALOG, MIB, PAGE, WORDS, packed
from tests.fuzz.recipes import recipe


@recipe("pdf")
def image_of_another_codec(dice: Random) -> bytes:
    codec = dice.choice(("DCTDecode", "JPXDecode", "JBIG2Decode", "CCITTFaxDecode", "FlateDecode"))
    source = {"DCTDecode": "jpeg", "JPXDecode": "jpeg 2000", "CCITTFaxDecode": "tiff, fax"}
    junk = dice.randbytes(dice.choice((0, 10, 5000)))
    body = good(source[codec])[: dice.randrange(50, 1000)] + junk if codec in source else junk
    size = dice.choice(("9", "65535", "2147483647", "0", "-1"))
    bits = dice.choice(("1", "8", "16", "99"))
    return page_pdf(
        b"600 0 0 600 0 0 cm /X Do",
        "/MediaBox[0 0 600 600]/Resources<</XObject<</X 6 0 R>>>>",
        stream(
            body,
            f"/Type/XObject/Subtype/Image/Width {size}/Height {size}/BitsPerComponent {bits}"
            f"/ColorSpace/DeviceRGB/Filter/{codec}/DecodeParms<</K -1/Columns {size}/Rows {size}>>",
        ),
    )


@recipe("pdf")
def image_bomb(_: Random) -> bytes:
    return page_pdf(
        b"600 0 0 600 0 0 cm /X Do",
        "/MediaBox[0 0 600 600]/Resources<</XObject<</X 6 0 R>>>>",
        stream(
            packed(1200 * MIB),
            "/Type/XObject/Subtype/Image/Width 20000/Height 20000/BitsPerComponent 8"
            "/ColorSpace/DeviceRGB/Filter/FlateDecode",
        ),
    )


@recipe("pdf")
def fuzzed_font(dice: Random) -> bytes:
    """Damage the bytes of an embedded font, deep inside of its compressed stream."""
    content = good("pdf with a font")
    found = list(re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL))
    longest = max(found, key=lambda it: len(it[1]))
    font = bytearray(good_font())
    for _ in range(dice.choice((1, 5, 50, 500))):
        font[dice.randrange(len(font))] = dice.randrange(256)
    hexed = zlib.compress(bytes(font)).hex().encode()
    head = content[: longest.start(1)]
    at = head.rindex(b"<<")
    entries = b"<</Filter[/ASCIIHexDecode/FlateDecode]/Length %d/Length1 %d>>\nstream\n"
    return head[:at] + entries % (len(hexed), len(font)) + hexed + content[longest.end(1) :]


def good_font() -> bytes:
    return ImageFont.load_default(20).font_bytes


@recipe("pdf")
def references_elsewhere(dice: Random) -> bytes:
    """Let references refer to other objects, which makes circles of all kinds."""
    content = good(dice.choice(("pdf", "pdf with a form", "pdf with a font", "pdf of a scan")))
    found = list(re.finditer(rb"\b(\d+) 0 R", content))
    for match in sorted(dice.choices(found, k=dice.choice((1, 2, 6))), key=lambda it: -it.start()):
        other = b"%d 0 R" % dice.randrange(0, 15)
        content = content[: match.start()] + other + content[match.end() :]
    return content


@recipe("pdf")
def words_elsewhere(dice: Random) -> bytes:
    """Give keys the values of others."""
    content = good(dice.choice(("pdf", "pdf with a form", "pdf with a font", "pdf, encrypted")))
    names = list(re.finditer(rb"/[A-Za-z0-9]+", content))
    for match in sorted(dice.choices(names, k=dice.choice((1, 3))), key=lambda it: -it.start()):
        other = dice.choice((dice.choice(names)[0], *EVIL_WORDS, b"null", b"[", b"(", b"<<"))
        content = content[: match.start()] + b" " + other + b" " + content[match.end() :]
    return content


@recipe("pdf")
def xref_in_a_circle(dice: Random) -> bytes:
    content = page_pdf(WORDS)
    at = content.index(b"xref\n0")
    lie = dice.choice((b"/Prev %d" % at, b"/XRefStm %d" % at, b"/Prev 99999999", b"/Prev -1"))
    return content.replace(b"trailer\n<<", b"trailer\n<<" + lie)


@recipe("pdf")
def xref_lies(dice: Random) -> bytes:
    content = page_pdf(WORDS)
    sizes = (b"xref\n0 2147483647", b"xref\n0 0", b"xref\n-5 6", b"xref\n0 99999999999")
    return re.sub(rb"xref\n0 \d+", dice.choice(sizes), content, count=1)


@recipe("pdf")
def object_stream_in_itself(dice: Random) -> bytes:
    inner = b"4 0 <</Type/ObjStm>>"
    return objects_pdf(
        CATALOG,
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        PAGE,
        stream(inner, f"/Type/ObjStm/N {dice.choice((1, 2147483647))}/First 4/Extends 4 0 R"),
    )


@recipe("pdf")
def encrypted_in_a_strange_way(dice: Random) -> bytes:
    revision = dice.choice((-1, 0, 2, 4, 5, 6, 7, 99))
    version = dice.choice((0, 1, 2, 4, 5, 99))
    length = dice.choice((0, 40, 128, 256, 2147483647, -8))
    key = dice.randbytes(32).hex()
    return objects_pdf(
        CATALOG,
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        PAGE,
        f"<</Filter/Standard/V {version}/R {revision}/Length {length}/P -1/O<{key}>/U<{key}>"
        f"/OE<{key}>/UE<{key}>/Perms<{key}>>>",
        trailer="/Root 1 0 R/ID[<00><00>]/Encrypt 4 0 R",
    )


def _many(first: list[str], more: str, count: int) -> bytes:
    """Return a PDF of very many objects, without a table: whoever wants one has to make it."""
    bodies = [*first, *[more] * count]
    whole = "".join(f"{n} 0 obj\n{body}\nendobj\n" for n, body in enumerate(bodies, 1))
    return f"%PDF-1.7\n{whole}trailer\n<</Size {len(bodies) + 1}/Root 1 0 R>>\n%%EOF".encode()


@recipe("pdf")
def many_objects(_: Random) -> bytes:
    return _many([CATALOG, "<</Type/Pages/Kids[3 0 R]/Count 1>>", PAGE], "<</A 1 0 R>>", 200_000)


@recipe("pdf")
def many_annotations(_: Random) -> bytes:
    kid = "<</Type/Annot/Subtype/FreeText/Rect[0 0 500 700]/Contents(words)/DA(/F1 9 Tf)>>"
    return page_pdf(WORDS, f"/MediaBox[0 0 612 792]/Annots[{kid * 20_000}]")


@recipe("pdf")
def form_in_a_circle(_: Random) -> bytes:
    return objects_pdf(
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/XFA 4 0 R>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Annots[4 0 R 4 0 R]>>",
        "<</FT/Tx/T(a)/Kids[4 0 R]/Parent 4 0 R/Subtype/Widget/Rect[0 0 9 9]/AP<</N 4 0 R>>>>",
    )


@recipe("pdf")
def many_pages_of_much(_: Random) -> bytes:
    return prose_pdf(400)


@recipe("pdf", heavy=True)
def million_pages(_: Random) -> bytes:
    kids = "".join(f"{n} 0 R " for n in range(3, 1_000_003))
    first = [CATALOG, f"<</Type/Pages/Kids[{kids}]/Count 1000000>>"]
    return _many(first, "<</Type/Page/Parent 2 0 R>>", 1_000_000)


@recipe("pdf")
def polyglot(dice: Random) -> bytes:
    """Return one file that is two."""
    zipped, pdf = good(dice.choice(("docx", "xlsx", "epub"))), good("pdf")
    gif = b"GIF89a=1;/*" + good("gif")[10:] + b"*/=alert(1)"
    both = (pdf + zipped, zipped + pdf, b"<html>\n" + pdf, gif, good("png") + zipped,
            good("jpeg") + pdf, b"{\\rtf1 words}" + zipped, b"PK\3\4\n" + pdf, b"BM" + pdf,
            good("tiff")[:8] + zipped)  # fmt: skip
    return dice.choice(both)
