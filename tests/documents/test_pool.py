import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from reportlab.lib import pdfencrypt

from ocr_grpc.documents import errors
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.formats import Family
from tests.documents.samples import (
    PROSE,
    drawn,
    encoded,
    objects_pdf,
    paper,
    png_bomb,
    prose_pdf,
    until,
    written,
)


async def refusal(opening) -> errors.DocumentError:
    with pytest.raises(errors.DocumentError) as refused:
        await opening
    return refused.value


async def test_a_pdf_gives_its_text_and_its_pixels(pool, file):
    documents = await pool()
    document = await documents.open(file(written(*PROSE)))
    assert (document.kind, document.page_count) == (DocumentKind.PDF, 1)
    layer = await document.text_layer(1, 0)
    assert [line.text for line in layer.lines] == list(PROSE)
    page = await document.render(1, 0)
    assert page.geometry == layer.geometry
    assert page.channels == 1
    assert page.path.parent == file(b"").parent / "spool"
    assert page.path.stat().st_size == page.geometry.width_px * page.geometry.height_px
    assert page.path.stat().st_mode & 0o777 == 0o600
    await document.close()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
async def test_pictures_go_the_same_way(pool, file, kind: str):
    document = await (await pool()).open(file(encoded(paper(), kind)))
    assert document.kind is DocumentKind[kind]
    assert not document.has_text_layers
    assert not (await document.text_layer(1, 0)).usable
    page = await document.render(1, 0)
    pixels = np.frombuffer(page.path.read_bytes(), np.uint8).reshape(300, 400)
    assert np.abs(pixels.astype(int) - np.asarray(paper())).mean() < 2


async def test_hopeless_documents_are_refused_each_for_its_own_reason(pool, file):
    locked = pdfencrypt.StandardEncryption("user", "owner", strength=128)
    documents = await pool(max_document_bytes=200_000, max_pages=3)
    empty_tree = objects_pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>")
    for content, reason in (
        (b"", "EMPTY_DOCUMENT"),
        (b"\x7fELF\2\1\1" + bytes(200), "UNKNOWN_FORMAT"),
        (b"%PDF-1.7\nnothing", "CORRUPT_DOCUMENT"),
        (empty_tree, "CORRUPT_DOCUMENT"),
        (encoded(paper())[:30], "CORRUPT_DOCUMENT"),
        (drawn(lambda canvas: canvas.drawString(9, 9, "x"), encrypt=locked), "PASSWORD_REQUIRED"),
        (b"%PDF-1.7\n" + bytes(200_000), "DOCUMENT_TOO_LARGE"),
        (prose_pdf(4), "TOO_MANY_PAGES"),
    ):
        assert (await refusal(documents.open(file(content)))).reason == reason
    # None of this costs a reader its life, or keeps it busy.
    assert (await documents.open(file(prose_pdf(3)))).page_count == 3


async def test_a_limit_is_in_the_metadata(pool, file):
    error = await refusal((await pool(max_pages=3)).open(file(prose_pdf(4))))
    assert error.metadata == {"found": "4", "limit": "3", "setting": "MAX_PAGES"}


async def test_a_page_too_large_fails_alone_with_its_size(pool, file):
    document = await (await pool()).open(file(png_bomb(30_000, 30_000)))
    with pytest.raises(errors.PageTooLarge) as refused:
        await document.render(1, 0)
    assert refused.value.metadata == {
        "page": "1",
        "width": "30000",
        "height": "30000",
        "limit": "100000000",
        "setting": "MAX_PAGE_PIXELS",
    }


async def test_a_page_that_does_not_exist_is_refused(pool, file):
    document = await (await pool()).open(file(written("x")))
    for page in (0, 2, -1):
        with pytest.raises(errors.PageError):
            await document.render(page, 0)


async def test_a_missing_file_is_no_document_error(pool, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        await (await pool()).open(tmp_path / "missing")
    with pytest.raises(OSError, match=r"no file|directory"):
        await (await pool()).open(tmp_path)


async def test_the_last_of_a_thousand_pages_is_read(pool, file):
    document = await (await pool()).open(file(prose_pdf(1_000, paragraphs=3)))
    assert document.page_count == 1_000
    assert (await document.text_layer(1_000, 0)).lines[-1].text == "Page 1000"
    # What it costs, beside the tenth, is in `python -m benchmarks.service`.


async def test_pages_of_one_document_are_read_side_by_side(pool, file):
    documents = await pool(readers=3)  # one of them is kept for other callers
    document = await documents.open(file(prose_pdf(8)))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, documents.busy)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    pages = await asyncio.gather(*(document.render(page, 72) for page in range(1, 9)))
    watching.cancel()
    assert most == 2
    assert len({page.path for page in pages}) == 8
    assert documents.busy == 0


async def test_a_closed_document_refuses_further_calls(pool, file):
    document = await (await pool()).open(file(written("x")))
    await document.close()
    await document.close()
    with pytest.raises(errors.PageError):
        await document.render(1, 0)


async def test_an_idle_reader_lets_go_of_a_closed_document(pool, file):
    documents = await pool()
    path = file(prose_pdf(2))
    document = await documents.open(path)
    (pid,) = documents.reader_pids(Family.PAGES)
    assert path in open_files(pid)
    await document.close()
    await until(lambda: path not in open_files(pid))
    assert documents.reader_pids(Family.PAGES) == [pid]


def open_files(pid: int) -> list[Path]:
    files: list[Path] = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in this moment
            files.append(entry.readlink())
    return files
