"""What one family of vision-language models wants to be asked, and how it answers, as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from ocr_grpc.model import TextFormat


class Order(Enum):
    """What of a message comes first; models read it as they were trained, and no other way."""

    IMAGE_FIRST = "image, then text"
    TEXT_FIRST = "text, then image"
    IMAGE_ALONE = "image without text"


class BoxSpace(Enum):
    """What a model counts the corners of its boxes in; the value is the end of a side."""

    NONE = 0
    """It gives no boxes."""
    SENT_PIXELS = 1
    """Pixels of the image as it was sent."""
    GRID_999 = 999
    """0 to 999 over each side of the image."""
    GRID_1000 = 1000
    GRID_1024 = 1024


@dataclass(frozen=True, slots=True)
class Rung:
    """One try of a ladder; when it fails, the next one follows.

    Attributes:
        name: for logs and provenance.
        prompt: what is asked; None if this model is sent the image alone.
        top_p: None leaves it to the server.
        extra_body: further keys of the request, as the model's server knows them.
        grammar: the parser of what comes back, a name that `make_grammar` knows.
        text_format: what the text of this rung is in.
        less: whether text of this rung is less than was asked for.
    """

    name: str
    prompt: str | None
    grammar: str
    text_format: TextFormat
    temperature: float = 0.0
    top_p: float | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict[str, object])
    less: bool = False


@dataclass(frozen=True, slots=True)
class ImageRule:
    """What a page has to look like when it is sent.

    Attributes:
        dpi: what its makers render pages of documents at.
        longest_side_px: what the longer side is scaled down to; None: as rendered.
        enlarge: whether smaller pages are scaled up to it.
        min_pixels, max_pixels: width × height, both inclusive; max 0: no bound but ours.
        multiple: both sides are whole multiples of it, so that the server need not scale again.
        form, quality: how it is encoded; quality is for JPEG alone.
        most_extreme_aspect: longer over shorter side. A page beyond it is padded with white at its
            right or its end, because servers would squeeze it instead; 0: no bound.
        least_side_px: a page whose shorter side would be shrunk below it is not for this model.
    """

    dpi: int = 144
    longest_side_px: int | None = None
    enlarge: bool = False
    min_pixels: int = 0
    max_pixels: int = 0
    multiple: int = 1
    form: Literal["png", "jpeg"] = "png"
    quality: int = 95
    most_extreme_aspect: float = 0.0
    least_side_px: int = 256


@dataclass(frozen=True, slots=True)
class ImageTokens:
    """About how many tokens an image takes of the context; rather too many than too few.

    Attributes:
        patch_px: side of the square that becomes a token; 0: every image takes `fixed`.
        fixed: tokens beside those of patches.
    """

    patch_px: int = 0
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class LoopRule:
    """How much repetition is too much.

    An honest page that is taken for a loop is read by a worse engine, while a loop that is noticed
    late costs a second or two. So the bounds are far above what fits a page: a dense one has 100
    lines of 100 characters, a large table some 600 cells.

    Repetition is a run: a unit, such as a line or a paragraph, again and again to the end of the
    text. It is weighed by its letters and digits; of markup and marks, three count as one.

    Attributes:
        window_chars: how far back is looked; a run as long is too long, whatever it is made of.
        check_chars: how often is looked.
        least_copies: of the unit, the first one among them.
        mark_unit_chars, mark_chars: a unit this short, within one line and no tag, is too much
            beyond so many characters: dots, one word, the same cell of a row; and white space.
        block_letters, block_weight: a unit outside tables with as many letters; and the bound.
        line_weight: the bound for all other units: short lines, cells, rows of tables.
        counter_letters, counter_weight: a unit with as many letters that is the same but for the
            digits in it; and the bound. Fewer letters are a table of figures, which has none.
    """

    window_chars: int = 12_000
    check_chars: int = 128
    least_copies: int = 4
    mark_unit_chars: int = 16
    mark_chars: int = 600
    block_letters: int = 40
    block_weight: float = 1_800
    line_weight: float = 3_000
    counter_letters: int = 4
    counter_weight: float = 4_500

    @property
    def doubled(self) -> "LoopRule":
        """A rule with all bounds twice as far away."""
        return replace(
            self,
            window_chars=2 * self.window_chars,
            mark_chars=2 * self.mark_chars,
            block_weight=2 * self.block_weight,
            line_weight=2 * self.line_weight,
            counter_weight=2 * self.counter_weight,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of models; data only.

    Attributes:
        name: what `LLM_PROFILE` says, such as `deepseek-ocr`.
        title: for people.
        served_as: names it is served under by default, searched for without regard to case.
        system: a system message; None sends none.
        prefix: stands before the prompt whoever wrote it.
        prompt_tokens: special tokens a caller's prompt may hold; others are taken out.
        max_tokens: the most its makers let it write.
        context_tokens: of prompt, image and answer together, as its makers serve it.
        markdown: the tries for Markdown, first to last; never empty.
        plain: the tries for plain text; empty if it has no prompt for it.
        languages: BCP 47; empty if its makers name none.
        licence: of the weights.
        not_run: whether nothing here was run against real weights.
    """

    name: str
    title: str
    served_as: re.Pattern[str]
    order: Order
    image: ImageRule
    boxes: BoxSpace
    image_tokens: ImageTokens
    max_tokens: int
    context_tokens: int
    markdown: tuple[Rung, ...]
    licence: str
    plain: tuple[Rung, ...] = ()
    system: str | None = None
    prefix: str = ""
    prompt_tokens: frozenset[str] = frozenset()
    loop: LoopRule = field(default_factory=LoopRule)
    languages: tuple[str, ...] = ()
    not_run: bool = True

    @property
    def takes_prompt(self) -> bool:
        """Whether a caller's prompt is heeded."""
        return self.order is not Order.IMAGE_ALONE

    def ladder(self, text_format: TextFormat | None, prompt: str) -> tuple[Rung, ...]:
        """Return the tries for one page, first to last.

        Args:
            text_format: what is wanted; None: Markdown. A model that knows no plain text is asked
                for Markdown, and its rungs say so.
            prompt: the caller's or the operator's own; empty for that of each rung. Rungs that
                differ in their prompt alone would ask the same again, so one of them is left.
        """
        rungs = self.plain if text_format is TextFormat.PLAIN and self.plain else self.markdown
        if not (prompt and self.takes_prompt):
            return rungs
        seen: list[tuple[object, ...]] = []
        kept: list[Rung] = []
        for rung in rungs:
            ask = (rung.temperature, rung.top_p, dict(rung.extra_body))
            if ask not in seen:
                seen.append(ask)
                kept.append(rung)
        return tuple(kept)
