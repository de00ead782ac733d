"""What `ocr-grpc extract` prints, whatever the order in which events come."""

import io
import json

from ocr_grpc.commands.output import Output, make_printer
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2, page_pb2


def started(pages=2):
    return pb.UploadExtractResponse(
        sequence=1,
        started={"extraction_id": "e", "document_page_count": pages, "page_count": pages},
    )


def begun(page):
    return pb.UploadExtractResponse(page_started={"page_number": page})


def delta(page, text, revision=1):
    lines = [{"text": line} for line in text.split("\n") if line]
    return pb.UploadExtractResponse(
        delta={"page_number": page, "text": text, "lines": lines, "revision": revision}
    )


def retract(page, offset=0, revision=1):
    return pb.UploadExtractResponse(
        retract={"page_number": page, "offset": offset, "revision": revision}
    )


def done(page, text, outcome=page_pb2.PAGE_OUTCOME_OK):
    return pb.UploadExtractResponse(
        page_finished={"page_number": page, "text": text, "outcome": outcome}
    )


def printed(events, output=Output.TEXT, **options):
    out = io.StringIO()
    with make_printer(output, out, options_pb2.ExtractOptions(**options)) as printer:
        for event in events:
            printer.event(event)
        printer.end()
    return out.getvalue()


def test_text_is_printed_while_the_page_is_read():
    out = io.StringIO()
    printer = make_printer(Output.TEXT, out, options_pb2.ExtractOptions())
    printer.event(started())
    printer.event(delta(1, "one"))
    assert out.getvalue() == "one"


def test_pages_are_printed_in_order_though_the_second_comes_first():
    events = [started(), begun(2), delta(2, "two"), done(2, "two"), begun(1), delta(1, "one")]
    assert printed([*events, done(1, "one")]) == "one\n\ftwo\n"


def test_the_pages_asked_for_are_waited_for():
    events = [started(9), begun(7), delta(7, "seven"), done(7, "seven"), begun(3), delta(3, "3")]
    assert printed([*events, done(3, "3")], pages="3,7") == "3\n\fseven\n"


def test_a_page_that_is_read_again_is_printed_once():
    events = [
        started(1),
        delta(1, "one\ntwo"),
        retract(1),
        delta(1, "one"),
        delta(1, "\ntwo\nthree"),
    ]
    assert printed([*events, done(1, "one\ntwo\nthree")]) == "one\ntwo\nthree\n"


def test_a_page_that_reads_differently_the_second_time_is_printed_again():
    events = [started(1), delta(1, "uno"), retract(1), delta(1, "one"), done(1, "one")]
    assert printed(events) == "uno\none\n"


def test_a_failed_page_prints_nothing_and_keeps_its_place():
    events = [started(), done(1, "", page_pb2.PAGE_OUTCOME_FAILED), delta(2, "two"), done(2, "two")]
    assert printed(events) == "\ftwo\n"


def test_what_came_before_a_failure_is_kept():
    assert printed([started(), delta(1, "one"), delta(2, "two")]) == "one\n\ftwo\n"


def test_ndjson_is_one_event_a_line_with_the_names_of_the_proto():
    lines = printed([started(), delta(1, "ö")], Output.NDJSON).splitlines()
    events = [json.loads(line) for line in lines]
    assert events[0]["sequence"] == 1
    assert events[0]["started"]["document_page_count"] == 2
    assert events[0]["started"]["queue_position"] == 0
    assert events[1]["delta"]["text"] == "ö"
    assert "ö" in lines[1]


def test_json_is_the_whole_document():
    events = [started(), delta(1, "gone"), retract(1), delta(1, "one"), done(1, "one")]
    document = json.loads(printed([*events, delta(2, "two"), done(2, "two")], Output.JSON))
    assert document["text"] == "one\ftwo"
    assert [page["page_number"] for page in document["pages"]] == [1, 2]
    assert [line["text"] for line in document["pages"][0]["lines"]] == ["one"]


def test_json_of_a_document_that_was_never_opened_is_nothing():
    assert printed([], Output.JSON) == ""


DRAFTS = options_pb2.QUALITY_DRAFT_THEN_FINAL
DRAFTED = [
    started(1),
    delta(1, "draft"),
    delta(1, "# Fin", revision=2),
    retract(1, 3, revision=2),
    delta(1, "inal", revision=2),
]


def test_a_draft_is_not_printed_as_it_could_not_be_taken_back():
    assert printed([*DRAFTED, done(1, "# Final")], quality=DRAFTS) == "# Final\n"


def test_a_draft_that_stays_the_last_word_is_printed_at_the_end():
    assert printed([*DRAFTED[:2], done(1, "draft")], quality=DRAFTS) == "draft\n"


def test_of_a_drafted_page_json_has_the_highest_revision_alone():
    whole = json.loads(printed([*DRAFTED, done(1, "# Final")], Output.JSON, quality=DRAFTS))
    assert [line["text"] for line in whole["pages"][0]["lines"]] == ["inal"]
