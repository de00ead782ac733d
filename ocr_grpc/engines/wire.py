"""Between the lines of the model and the messages engine workers speak."""

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.model import Line, Point, Separator


def lines_to_proto(lines: list[Line]) -> pb.LineBatch:
    """Return lines as a message."""
    return pb.LineBatch(
        lines=[
            pb.ReadLine(
                text=line.text,
                polygon=[value for point in line.polygon for value in (point.x, point.y)],
                confidence=line.confidence,
                separator=line.separator.value,
            )
            for line in lines
        ]
    )


def lines_from_proto(batch: pb.LineBatch) -> list[Line]:
    """Return the lines of a message."""
    return [
        Line(
            text=line.text,
            polygon=tuple(
                Point(x, y) for x, y in zip(line.polygon[::2], line.polygon[1::2], strict=True)
            ),
            confidence=line.confidence,
            separator=Separator(line.separator),
        )
        for line in batch.lines
    ]


def description_to_proto(engine: EngineDescription) -> pb.DescribeResponse:
    """Return a description as a message."""
    return pb.DescribeResponse(
        name=engine.name,
        model=engine.model,
        model_version=engine.model_version,
        backend=engine.backend,
        precision=engine.precision,
        languages=engine.languages,
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
    )
