"""One answer of the model as it arrives: markup taken off, repetition noticed."""

from ocr_grpc.engines.vlm.boxes import polygon_of
from ocr_grpc.engines.vlm.grammars import make_grammar
from ocr_grpc.engines.vlm.grammars.grammar import Box, Emission
from ocr_grpc.engines.vlm.loops import AnswerGuard
from ocr_grpc.engines.vlm.parts import Piece
from ocr_grpc.engines.vlm.profile import BoxSpace, Profile, Rung
from ocr_grpc.engines.vlm.renderings import ShownPage
from ocr_grpc.model import Block, PageGeometry, Point, Polygon

MAX_BLOCKS = 2_000
"""Of one page. A newspaper has some hundreds; a model that names more makes them up."""
MAX_BLOCKS_A_PIECE = 200
"""Each takes a hundred bytes of a message, which must stay below what clients take."""


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
        self._guard = AnswerGuard(profile.loop)
        self._space = profile.boxes
        self._page = page
        self._true = true
        self._chars = 0
        self._blocks = 0
        self.repeats_from: int | None = None
        self.empty = True

    @property
    def damaged(self) -> bool:
        """Whether something of it could not be made out, so that text may be missing."""
        return self._grammar.damaged or self._blocks > MAX_BLOCKS

    @property
    def askew_degrees(self) -> int:
        """How far the page has to be turned clockwise, as far as the model has said.

        0 for a model that gives boxes, because they would have to be turned back.
        """
        return self._grammar.turn_degrees if self._space is BoxSpace.NONE else 0

    def feed(self, said: str) -> list[Piece]:
        """Return the text that is certain by now; mostly one piece, or none."""
        return self._pieces(self._grammar.feed(said), said)

    def finish(self) -> list[Piece]:
        """Return the last of the text, after the model has come to its end."""
        return self._pieces(self._grammar.finish(), "")

    def _pieces(self, emitted: list[Emission], said: str) -> list[Piece]:
        pieces: list[Piece] = []
        texts: list[str] = []
        blocks: list[Block] = []
        for emission in emitted:
            if isinstance(emission, str):
                texts.append(emission)
                self._chars += len(emission)
                continue
            self._blocks += 1
            if self._blocks <= MAX_BLOCKS:
                if len(blocks) == MAX_BLOCKS_A_PIECE:
                    pieces.append(Piece("".join(texts), tuple(blocks)))
                    texts, blocks = [], []
                blocks.append(Block(emission.label, self._polygon(emission.box), self._chars))
        if texts or blocks:
            pieces.append(Piece("".join(texts), tuple(blocks)))
        text = "".join(piece.text for piece in pieces)
        self.repeats_from = self._guard.feed(said, text)
        self.empty = self.empty and not text.strip() and not self._blocks
        return pieces

    def _polygon(self, box: Box | None) -> Polygon:
        """Return where a block stands; what is white margin around the page is none of it."""
        seen = polygon_of(box, self._space, self._page.image, self._page.geometry)
        width, height = self._true.width_px, self._true.height_px
        return tuple(Point(min(point.x, width), min(point.y, height)) for point in seen)
