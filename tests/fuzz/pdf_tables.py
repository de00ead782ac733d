"""PDFs whose trees, boxes, streams and contents go in circles or claim to be endless."""

import zlib

from tests.documents.samples import endless_pdf, objects_pdf, page_pdf, stream
from tests.fuzz.archive import repeated
from tests.fuzz.recipes import family

CATALOG = "<</Type/Catalog/Pages 2 0 R>>"
PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"
WORDS = b"BT /F1 12 Tf 50 700 Td (some words) Tj ET "
MIB = 2**20


def packed(size: int, unit: bytes = b"\0") -> bytes:
    """Return a zlib stream of so many bytes."""
    raw = repeated("", b"", unit, size // len(unit)).packed
    return b"\x78\x9c" + raw + b"\0\0\0\0"


def _boxes() -> dict[str, bytes]:
    boxes = ("0 0 2147483648 2147483648", "0 0 99 2147483648", "0 0 0 0", "9 9 1 1",
    "-1e9 -1e9 1 1",
             "0 0 NaN NaN", "0 0 1e38 1e38", "0 0 0.00001 0.00001", "0 0 14400 14400", "a b c d",
             "",
             "0 0 1e-38 1e38", "612 792 0 0")  # fmt: skip
    found = {f"box {box}": page_pdf(WORDS, f"/MediaBox[{box}]") for box in boxes}
    found |= {
        f"crop {box}": page_pdf(WORDS, f"/MediaBox[0 0 612 792]/CropBox[{box}]") for box in boxes
    }
    for unit in ("1e9", "-1", "0", "NaN"):
        found[f"unit {unit}"] = page_pdf(WORDS, f"/MediaBox[0 0 612 792]/UserUnit {unit}")
    for turn in ("45", "-90", "2147483647", "3.14", "/x"):
        found[f"turned {turn}"] = page_pdf(WORDS, f"/MediaBox[0 0 612 792]/Rotate {turn}")
    return found


def _trees() -> dict[str, bytes]:
    def tree(kids: str, count: str, *more: str) -> bytes:
        return objects_pdf(CATALOG, f"<</Type/Pages/Kids[{kids}]/Count {count}>>", PAGE, *more)

    return {
        "tree in a circle": tree("2 0 R 3 0 R", "2"),
        "tree in a wide circle": tree("4 0 R", "3",
        "<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 3>>"),
        "count too high": tree("3 0 R", "1000000"),
        "count of an int": tree("3 0 R", "2147483647"),
        "count below 0": tree("3 0 R", "-5"),
        "count is a name": tree("3 0 R", "/Many"),
        "count refers to itself": tree("3 0 R", "4 0 R", "4 0 R"),
        "one page 9,000 times": tree("3 0 R " * 9000, "9000"),
        "one page 200,000 times": tree("3 0 R " * 200_000, "200000"),
        "kids are no pages": tree("1 0 R 9 0 R null 5 (x)", "5"),
        "no kids": tree("", "0"),
        "deep tree": objects_pdf(
            CATALOG,
            *(f"<</Type/Pages/Kids[{n + 3} 0 R]/Count 1/Parent {n + 1} 0 R>>" for n in range(5000)),
            PAGE,
        ),
        "tree of 2^60 pages": objects_pdf(
            CATALOG,
            *(
                f"<</Type/Pages/Kids[{f'{n + 3} 0 R ' * 8}]/Count {8 ** (20 - n)}>>"
                for n in range(20)
            ),
            PAGE,
        ),
    }  # fmt: skip


def _streams() -> dict[str, bytes]:
    def page(content: bytes, entries: str) -> bytes:
        return objects_pdf(
            CATALOG,
            "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>",
            stream(content, entries),
        )

    flate = "/Filter/FlateDecode"
    twice = zlib.compress(packed(512 * MIB), 9)
    return {
        "flate bomb": page(packed(512 * MIB, b"0 "), flate),
        "flate bomb twice": page(twice, "/Filter[/FlateDecode/FlateDecode]"),
        "flate bomb of operators": page(packed(64 * MIB, b"q "), flate),
        "chain of filters": page(
            b"00" * 9 + b">", "/Filter[" + "/ASCIIHexDecode" * 5000 + "]"
        ),
        "run lengths": page(b"\x81\0" * 500_000, "/Filter/RunLengthDecode"),
        "LZW junk": page(b"\x80\x0b\x60\x50\x22" * 9999, "/Filter/LZWDecode"),
        "predictor": page(
            zlib.compress(b"x" * 9999),
            f"{flate}/DecodeParms<</Predictor 15/Colors 2147483647/Columns 2147483647>>",
        ),
        "wrong length": objects_pdf(
            CATALOG, "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>",
            b"<</Length 2147483647>>stream\nq\nendstream",
        ),
        "length is itself": objects_pdf(
            CATALOG, "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>",
            b"<</Length 4 0 R>>stream\nq\nendstream",
        ),
    }  # fmt: skip


def _contents() -> dict[str, bytes]:
    return {
        "deep states": page_pdf(b"q " * 500_000 + WORDS),
        "deep text objects": page_pdf(b"BT " * 200_000 + WORDS),
        "deep arrays": page_pdf(b"[" * 500_000),
        "deep dictionaries": page_pdf(WORDS, "/MediaBox[0 0 9 9]/X" + "<</X" * 100_000),
        "many lines": page_pdf(b"0 0 m 600 700 l S " * 100_000),
        "one endless path": page_pdf(b"0 0 m " + b"9 9 l 0 7 l " * 300_000 + b"f*"),
        "dashes": page_pdf(b"[0.0001] 0 d 0 0 m 600 700 l S"),
        "huge font": page_pdf(b"BT /F1 1e9 Tf 50 700 Td (words) Tj ET"),
        "tiny text": page_pdf(b"BT /F1 0.001 Tf 50 700 Td " + b"(words) Tj " * 100_000 + b"ET"),
        "a million characters": page_pdf(
            b"BT /F1 1 Tf 1 0 0 1 5 5 Tm " + b"(%s) Tj " % (b"w" * 1000) * 1000 + b"ET"
        ),
        "one place": page_pdf(WORDS * 20_000),
        "matrix": page_pdf(b"1e30 0 0 1e-30 NaN 1e38 cm " + WORDS),
        "endless forms": endless_pdf(),
        "form draws itself": page_pdf(
            b"/X Do ", "/MediaBox[0 0 99 99]/Resources<</XObject<</X 6 0 R>>>>",
            stream(b"/X Do /X Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
                   "/Resources<</XObject<</X 6 0 R>>>>"),
        ),
        "pattern of itself": page_pdf(
            b"/Pattern cs /P scn 0 0 500 500 re f",
            "/MediaBox[0 0 600 600]/Resources<</Pattern<</P 6 0 R>>>>",
            stream(b"/Pattern cs /P scn 0 0 9 9 re f", "/Type/Pattern/PatternType 1/PaintType 1"
                   "/TilingType 1/BBox[0 0 1 1]/XStep 0.001/YStep 0.001"
                   "/Resources<</Pattern<</P 6 0 R>>>>"),
        ),
        "shading": page_pdf(
            b"/S sh", "/MediaBox[0 0 600 600]/Resources<</Shading<</S 6 0 R>>>>",
            b"<</ShadingType 1/ColorSpace/DeviceRGB/Domain[0 1e9 0 1e9]/Function<</FunctionType 4"
            b"/Domain[0 1 0 1]/Range[0 1 0 1 0 1]>>>>",
        ),
        "masks in a circle": page_pdf(
            b"600 0 0 600 0 0 cm /X Do", "/MediaBox[0 0 600 600]/Resources<</XObject<</X 6 0 R>>>>",
            stream(b"\0" * 99, "/Type/XObject/Subtype/Image/Width 9/Height 9/BitsPerComponent 8"
                   "/ColorSpace/DeviceGray/SMask 6 0 R"),
        ),
    }  # fmt: skip


family("pdf", _boxes() | _trees() | _streams() | _contents())
