"""What an inspection found, as messages."""

from ocr_grpc.extraction.inspection import InspectedDocument, InspectedPage
from ocr_grpc.rpc.mapping import kind_to_proto
from ocr_grpc.v1 import document_pb2, ocr_service_pb2


def inspected_to_proto(document: InspectedDocument) -> ocr_service_pb2.InspectResponse:
    """Return what a document is as a message."""
    return ocr_service_pb2.InspectResponse(
        kind=kind_to_proto(document.kind),
        document_page_count=document.document_page_count,
        size_bytes=document.size_bytes,
        pages=[_inspected_page_to_proto(page) for page in document.pages],
        cost_pages=document.cost_pages,
    )


def _inspected_page_to_proto(inspected: InspectedPage) -> document_pb2.PageInspection:
    message = document_pb2.PageInspection(page_number=inspected.page_number)
    if inspected.error:
        message.reason, message.message = inspected.error.reason, inspected.error.message
    if page := inspected.page:
        message.width_pt, message.height_pt = page.width_pt, page.height_pt
        message.text_layer_share = page.text_layer_share
        message.rotation_degrees = page.rotation_degrees
        message.blank = page.blank
        message.picture_count = page.picture_count
        message.text_layer_rejected = page.unusable_because
        if size := page.geometry:
            message.width_px, message.height_px, message.dpi = (
                size.width_px,
                size.height_px,
                size.dpi,
            )
    return message
