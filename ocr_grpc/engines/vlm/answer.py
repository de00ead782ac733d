"""One answer of the model as it arrives: markup taken off, repetition noticed."""

from ocr_grpc.engines.vlm.boxes import polygon_of
from ocr_grpc.engines.vlm.grammars import SeenBlock, make_grammar
from ocr_grpc.engines.vlm.grammars.grammar import Box, Emission
from ocr_grpc.engines.vlm.loops import LoopGuard
from ocr_grpc.engines.vlm.parts import Piece
from ocr_grpc.engines.vlm.profile import BoxSpace, Profile, Rung
from ocr_grpc.engines.vlm.renderings import ShownPage
from ocr_grpc.model import Block, PageGeometry, Point, Polygon


class Answer:
    """Text and blocks of one answer. For one answer, once.

    Attributes:
        repeats_from: where its text begins to repeat itself, in code points; None while it does
            not. Nothing is to be fed from then on.
        empty: whether it has neither text nor blocks so far.
    """

    def __init__(self, rung: Rung, profile: Profile, page: ShownPage, true: PageGeometry) -> None:
        """Begin.

        Args:
            rung: names the parser.
            profile: of the model that answers.
            page: as the model sees it.
            true: the size of the page as it is, which blocks have to fit.
        """
        self._grammar = make_grammar(rung.grammar)
        self._guard = LoopGuard(profile.loop)
        self._space = profile.boxes
        self._page = page
        self._true = true
        self._chars = 0
        self.repeats_from: int | None = None
        self.empty = True

    @property
    def damaged(self) -> bool:
        """Whether something of it could not be made out, so that text may be missing."""
        return self._grammar.damaged

    @property
    def askew_degrees(self) -> int:
        """How far the page has to be turned clockwise, as far as the model has said.

        0 for a model that gives boxes, because they would have to be turned back.
        """
        return self._grammar.turn_degrees if self._space is BoxSpace.NONE else 0

    def feed(self, said: str) -> Piece | None:
        """Return the text that is certain by now; None if there is no more of it."""
        return self._piece(self._grammar.feed(said))

    def finish(self) -> Piece | None:
        """Return the last of the text, after the model has come to its end."""
        return self._piece(self._grammar.finish())

    def _piece(self, emitted: list[Emission]) -> Piece | None:
        texts: list[str] = []
        blocks: list[Block] = []
        for emission in emitted:
            if isinstance(emission, SeenBlock):
                blocks.append(Block(emission.label, self._polygon(emission.box), self._chars))
            else:
                texts.append(emission)
                self._chars += len(emission)
        text = "".join(texts)
        if text:
            self.repeats_from = self._guard.feed(text)
        self.empty = self.empty and not blocks and not text.strip()
        return Piece(text, tuple(blocks)) if text or blocks else None

    def _polygon(self, box: Box | None) -> Polygon:
        """Return where a block stands; what is white margin around the page is none of it."""
        seen = polygon_of(box, self._space, self._page.image, self._page.geometry)
        width, height = self._true.width_px, self._true.height_px
        return tuple(Point(min(point.x, width), min(point.y, height)) for point in seen)
