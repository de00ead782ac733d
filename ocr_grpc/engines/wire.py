"""Between the lines of the model and the messages engine workers speak."""

from collections.abc import Sequence

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.load import Load
from ocr_grpc.engines.page_read import ReadBegan, ReadTimes
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.model import Line, Point, Polygon, Separator, Word

PAGE_SECONDS_KEY = "page-timeout-seconds"
"""Metadata of `Read`: what the engine may take over the page, in seconds."""

ADMITTED_KEY = "page-admitted"
"""Initial metadata of the answer: there is room for the page, its pixels may come."""

RPC = {
    "rpc.system": "grpc",
    "rpc.service": pb.DESCRIPTOR.services_by_name["EngineService"].full_name,
    "rpc.method": "Read",
}
"""What spans say of `Read`, by the conventions of OpenTelemetry."""


def part_to_proto(part: ReadBegan | list[Line] | ReadTimes) -> pb.ReadResponse:
    """Return a part of what is read of a page as a message."""
    match part:
        case ReadBegan():
            return pb.ReadResponse(begun=pb.ReadBegun())
        case ReadTimes():
            done = pb.ReadDone(
                seconds=part.seconds, cpu_seconds=part.cpu_seconds, alphabet=part.alphabet
            )
            return pb.ReadResponse(done=done)
        case _:
            return pb.ReadResponse(batch=lines_to_proto(part))


def load_to_proto(load: Load) -> pb.WatchResponse:
    """Return a load as a message."""
    return pb.WatchResponse(slots=load.slots, admitted=load.admitted, draining=load.draining)


def load_from_proto(message: pb.WatchResponse) -> Load:
    """Return the load in a message."""
    return Load(message.slots, message.admitted, message.draining)


def lines_to_proto(lines: list[Line]) -> pb.LineBatch:
    """Return lines as a message."""
    return pb.LineBatch(
        lines=[
            pb.ReadLine(
                text=line.text,
                polygon=_flat(line.polygon),
                confidence=line.confidence,
                separator=line.separator.value,
                words=[
                    pb.ReadWord(
                        text=word.text, polygon=_flat(word.polygon), confidence=word.confidence
                    )
                    for word in line.words
                ],
            )
            for line in lines
        ]
    )


def lines_from_proto(batch: pb.LineBatch) -> list[Line]:
    """Return the lines of a message."""
    return [
        Line(
            text=line.text,
            polygon=_polygon(line.polygon),
            confidence=line.confidence,
            separator=Separator(line.separator),
            words=tuple(
                Word(word.text, _polygon(word.polygon), word.confidence) for word in line.words
            ),
        )
        for line in batch.lines
    ]


def _flat(polygon: Polygon) -> list[float]:
    return [value for point in polygon for value in (point.x, point.y)]


def _polygon(flat: Sequence[float]) -> Polygon:
    return tuple(Point(x, y) for x, y in zip(flat[::2], flat[1::2], strict=True))


def description_to_proto(engine: EngineDescription) -> pb.DescribeResponse:
    """Return a description as a message."""
    return pb.DescribeResponse(
        name=engine.name,
        model=engine.model,
        model_version=engine.model_version,
        backend=engine.backend,
        precision=engine.precision,
        languages=engine.languages,
        gives_words=engine.gives_words,
    )


def description_from_proto(message: pb.DescribeResponse) -> EngineDescription:
    """Return the description in a message."""
    return EngineDescription(
        name=message.name,
        model=message.model,
        model_version=message.model_version,
        backend=message.backend,
        precision=message.precision,
        languages=tuple(message.languages),
        gives_words=message.gives_words,
    )
