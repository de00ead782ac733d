"""One image: a draft and its final text, and what steps in for a model that gives up."""

from contextlib import aclosing

import pytest

from ocr_grpc.engines.errors import EngineCrashed, EngineFailed, WorkerLost
from ocr_grpc.engines.vlm.errors import OutputRepeated, UpstreamUnavailable
from ocr_grpc.engines.vlm.parts import Piece, TakeBack, VisionDone
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.image_reading import ImageReading, Void
from ocr_grpc.model import Block, TextFormat
from tests.extraction.scripted import ENGINE, TERMS, VISION, Lines, Vision, image_in

DONE = VisionDone(Spent(10, 5, attempts=1), TextFormat.MARKDOWN)


class Seen:
    """What a client that follows the events has of each revision."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}
        self.moments: list[str] = []
        """The text of the highest revision after each event."""

    def add(self, part) -> None:
        text = self.texts.get(part.revision, "")
        self.texts[part.revision] = (
            text[: part.offset] if isinstance(part, Void) else text + part.text
        )
        self.moments.append(self.texts[max(self.texts)])


@pytest.fixture
def read(tmp_path):
    async def read(lines: Lines | None, vision: Vision | None, drafts: bool = False):
        reading, seen = ImageReading(ChosenEngines(lines, vision, drafts), TERMS, 1), Seen()
        async with aclosing(reading.parts(image_in(tmp_path))) as parts:
            async for part in parts:
                seen.add(part)
        return reading, seen

    return read


async def test_lines_alone_are_one_revision_of_plain_text(read):
    reading, seen = await read(Lines(["one", "two"]), None)
    assert seen.texts == {1: "one\ntwo"}
    assert (reading.revision, reading.text_format) == (1, TextFormat.PLAIN)
    assert (reading.engine, reading.alphabet) == (ENGINE, "full")


async def test_a_worker_that_dies_voids_what_it_said_and_the_page_begins_anew(read):
    reading, seen = await read(Lines(["o", WorkerLost("", began=True)], ["one"]), None)
    assert seen.moments == ["o", "", "one"]
    assert reading.attempts == 2


async def test_a_model_alone_is_one_revision_of_its_form(read):
    block = Block("title", (), 0)
    reading, seen = await read(Lines(), Vision([Piece("# One", (block,)), DONE]))
    assert seen.texts == {1: "# One"}
    assert (reading.engine, reading.text_format) == (VISION, TextFormat.MARKDOWN)
    assert reading.spent == DONE.spent
    assert reading.problem is None


async def test_a_draft_comes_first_and_the_final_text_is_another_revision(read):
    vision = Vision([Piece("# O"), Piece("ne"), DONE])
    reading, seen = await read(Lines(["one", "two"]), vision, drafts=True)
    assert seen.moments == ["one", "one\ntwo", "# O", "# One"]
    assert reading.revision == 2
    assert (reading.engine, reading.text_format) == (VISION, TextFormat.MARKDOWN)


async def test_what_a_model_takes_back_is_taken_back_of_its_own_revision(read):
    vision = Vision([Piece("one one one"), TakeBack(3), DONE])
    _, seen = await read(Lines(["draft"]), vision, drafts=True)
    assert seen.texts == {1: "draft", 2: "one"}


async def test_when_the_model_gives_up_lines_take_the_place_of_its_text(read):
    failed = OutputRepeated("It repeated itself.")
    failed.spent = Spent(20, 900, attempts=4)
    reading, seen = await read(Lines(["one"]), Vision([Piece("on on on"), failed]))
    assert seen.texts == {1: "one"}
    assert (reading.revision, reading.text_format) == (1, TextFormat.PLAIN)
    assert (reading.engine, reading.fallback_from) == (ENGINE, "vlm")
    assert reading.problem.reason == "OUTPUT_REPEATED"
    assert reading.spent == failed.spent


async def test_when_the_model_never_spoke_the_draft_stays_the_highest_revision(read):
    reading, seen = await read(
        Lines(["one"]), Vision([UpstreamUnavailable("It is down.")]), drafts=True
    )
    assert seen.texts == {1: "one"}
    assert reading.revision == 1
    assert reading.problem.reason == "VLM_UNAVAILABLE"


async def test_when_the_model_spoke_the_draft_is_said_again_as_the_highest_revision(read):
    vision = Vision([Piece("on on on"), OutputRepeated("It repeated itself.")])
    reading, seen = await read(Lines(["one", "two"]), vision, drafts=True)
    assert seen.texts == {1: "one\ntwo", 2: "one\ntwo"}
    assert reading.revision == 2
    assert reading.engine is ENGINE


async def test_a_draft_that_fails_is_void_and_the_final_text_comes_all_the_same(read):
    lines = Lines(["one", EngineFailed("It failed.")])
    reading, seen = await read(lines, Vision([Piece("# One"), DONE]), drafts=True)
    assert seen.texts == {1: "", 2: "# One"}
    assert reading.problem is None


async def test_without_anybody_to_step_in_the_failure_of_the_model_is_that_of_the_page(read):
    with pytest.raises(UpstreamUnavailable):
        await read(None, Vision([UpstreamUnavailable("It is down.")]))


async def test_text_that_is_less_than_was_asked_for_says_so(read):
    problem = OutputRepeated("Another prompt was needed.")
    done = VisionDone(Spent(attempts=3), TextFormat.PLAIN, problem)
    reading, _ = await read(Lines(), Vision([Piece("one"), done]))
    assert (reading.attempts, reading.problem) == (3, problem)
    assert reading.text_format is TextFormat.PLAIN


async def test_an_image_that_kills_workers_as_a_draft_kills_no_more_of_them(read):
    lines = Lines([EngineCrashed("Three workers died.")])
    with pytest.raises(EngineCrashed):
        await read(lines, Vision([UpstreamUnavailable("It is down.")]), drafts=True)
    assert not lines.scripts
