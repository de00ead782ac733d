"""An answer may be larger than any page, at once or in all; nothing else waits for it."""

import asyncio
import gc
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from ocr_grpc.engines.vlm.answer import MAX_BLOCKS, MAX_BLOCKS_A_PIECE, Answer
from ocr_grpc.engines.vlm.circuit import Circuit
from ocr_grpc.engines.vlm.images import SentImage
from ocr_grpc.engines.vlm.parts import Piece
from ocr_grpc.engines.vlm.profiles import profile_for
from ocr_grpc.engines.vlm.renderings import ShownPage
from ocr_grpc.engines.vlm.spending import CallCount
from ocr_grpc.engines.vlm.transport import SentOnce
from ocr_grpc.engines.vlm.upstream import MAX_ANSWER_CHARS, MAX_PIECE_CHARS, Finish, Upstream
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.model import PageGeometry
from tests.engines.vlm.answers import hangs, writes
from tests.engines.vlm.server import serving
from tests.engines.vlm.support import a_read, engine_for, until

DEEPSEEK = "deepseek-ai/DeepSeek-OCR"
PAGE = PageGeometry(1_000, 1_000, 144)


def an_answer(model: str) -> Answer:
    profile = profile_for(model)
    page = ShownPage(SentImage("", 1_000, 1_000, 1_000, 1_000), PAGE)
    return Answer(profile.markdown[0], profile, page, PAGE)


def block(label: str, boxes: int = 1) -> str:
    places = ",".join(f"[{at},0,{at + 9},9]" for at in range(boxes))
    return f"<|ref|>{label}<|/ref|><|det|>[{places}]<|/det|>\n"


def numbers(count: int) -> str:
    return " ".join(str(pow(7, number, 10**9 + 7)) for number in range(count))


async def test_what_comes_at_once_is_handed_on_in_pieces_between_which_others_run(tmp_path):
    turns, heard = 0, list[int]()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    whole = numbers(1_000)
    async with serving(writes(whole)) as server, engine_for(server) as vlm:
        beside = asyncio.create_task(others())
        text = ""
        async with aclosing(vlm.read(a_read(tmp_path))) as parts:
            async for part in parts:
                if isinstance(part, Piece):
                    heard.append(turns)
                    text += part.text
        beside.cancel()
        await asyncio.wait({beside})
    assert text == whole
    assert len(heard) >= len(whole) // MAX_PIECE_CHARS
    assert len(set(heard)) >= len(whole) // MAX_PIECE_CHARS


async def test_an_answer_is_cut_even_if_it_comes_at_once():
    async with serving(writes("so much " * 80_000)) as server:
        settings = VisionSettings(server.url, SecretStr(""))
        upstream = Upstream(settings, Circuit())
        deadline = asyncio.get_running_loop().time() + 60
        said = upstream.answer(SentOnce(b"{}"), CallCount(0, 0), deadline)
        async with aclosing(said):
            *texts, end = [part async for part in said]
        await upstream.close()
    assert end == Finish("length")
    lengths = [len(text) for text in texts if isinstance(text, str)]
    assert sum(lengths) == MAX_ANSWER_CHARS
    assert max(lengths) == MAX_PIECE_CHARS


def test_blocks_come_a_few_at_a_time_each_with_its_text():
    answer = an_answer(DEEPSEEK)
    pieces = answer.feed("".join(f"{block('text')}text {n}\n" for n in range(450)))
    pieces += answer.finish()
    text, offsets = "", list[int]()
    for piece in pieces:
        assert len(piece.blocks) <= MAX_BLOCKS_A_PIECE
        assert all(len(text) <= b.offset <= len(text + piece.text) for b in piece.blocks)
        text += piece.text
        offsets += [b.offset for b in piece.blocks]
    assert len(offsets) == 450
    assert [text[at:].split()[1] for at in offsets] == [str(n) for n in range(450)]
    assert "text 0" in text
    assert "text 449" in text
    assert not answer.damaged


def test_more_blocks_than_a_page_can_have_are_left_out_and_the_text_kept():
    answer = an_answer(DEEPSEEK)
    pieces = [piece for n in range(30) for piece in answer.feed(block(f"of {n}", 99) + f"{n} ")]
    pieces += answer.finish()
    assert sum(len(piece.blocks) for piece in pieces) == MAX_BLOCKS
    assert "29" in "".join(piece.text for piece in pieces)
    assert answer.damaged


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (DEEPSEEK, block("image")),
        ("dots.ocr", '{"bbox": [0, 0, 9, 9], "category": "Picture"}, '),
        ("dots.ocr", '"bbox": [0, 0, 9, 9], '),
    ],
    ids=["blocks", "pictures", "one-element"],
)
def test_a_loop_is_noticed_where_it_makes_no_text(model, said):
    answer = an_answer(model)
    answer.feed('[{"category": ' if said[0] == '"' else "[" if said[0] == "{" else "")
    for _ in range(3_000):
        answer.feed(said)
        if answer.repeats_from is not None:
            break
    assert answer.repeats_from is not None


async def test_the_image_is_forgotten_while_the_answer_comes(tmp_path):
    def images() -> int:
        return sum(type(o) is SentImage and o.data_uri != "" for o in gc.get_objects())

    async with serving(hangs(after=("Some text.\n\n",))) as server, engine_for(server) as vlm:
        before = images()
        async with aclosing(vlm.read(a_read(tmp_path))) as parts:
            await anext(parts)
            assert images() <= before
        await until(server.calls[0].hung_up)
        assert server.calls[0].image


async def test_a_request_is_forgotten_once_it_is_sent():
    sent = SentOnce(b"the page")
    assert sent.size_bytes == 8
    assert [piece async for piece in sent] == [b"the page"]
    assert b"the page" not in [piece async for piece in sent]
