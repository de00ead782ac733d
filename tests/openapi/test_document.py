"""What the generated OpenAPI document says, and that the committed one is that document."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from google.api.annotations_pb2 import http
from schemathesis.specs.openapi.definitions import OPENAPI_31

from ocr_grpc.openapi.__main__ import WEB, stale
from ocr_grpc.openapi.comments import first_sentence, read_comments
from ocr_grpc.openapi.document import openapi_document
from ocr_grpc.rpc.access import SERVICES, declared_access
from ocr_grpc.v1 import access_pb2

VERBS = ("get", "put", "post", "delete", "patch")


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads((WEB / "openapi.json").read_bytes())


def operations(document: dict) -> dict[str, dict]:
    """Return the operations by verb and path, such as `get /v1/keys`."""
    return {
        f"{verb} {path}": operation
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    }


def answer(document: dict, call: str) -> dict:
    """Return the schema of the good answer of a call."""
    content = operations(document)[call]["responses"]["200"]["content"]
    return resolved(document, content["application/json"]["schema"])


def resolved(document: dict, schema: dict) -> dict:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_the_committed_files_are_what_the_protos_give():
    assert [path.name for path in stale()] == []


def test_every_annotated_rpc_is_described_and_nothing_else_is(document):
    annotated = {}
    for method in (method for service in SERVICES for method in service.methods):
        rule = method.GetOptions().Extensions[http]
        verb = rule.WhichOneof("pattern")
        annotated[f"{verb} {getattr(rule, verb)}"] = method.full_name
    described = operations(document)
    assert set(described) == {*annotated, "get /health"}
    for call, rpc in annotated.items():
        assert f"`{rpc}`" in described[call]["description"]


def test_it_is_valid_openapi(document):
    jsonschema_rs.validator_for(OPENAPI_31, validate_formats=True).validate(document)


def test_every_reference_leads_somewhere(document):
    text = json.dumps(document)
    for kind, components in document["components"].items():
        for name in components:
            text = text.replace(f'"$ref": "#/components/{kind}/{name}"', "")
    assert "$ref" not in text


def test_every_schema_is_referred_to(document):
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if f'"#/components/schemas/{name}"' not in text] == []


def test_operations_are_named_once(document):
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)


def test_credentials_are_asked_for_as_the_protos_declare(document):
    access = declared_access()
    wanted = {
        access_pb2.AUDIENCE_ANYONE: [],
        access_pb2.AUDIENCE_SESSIONS: ["bearer"],
        access_pb2.AUDIENCE_USERS: ["bearer", "api_key"],
        access_pb2.AUDIENCE_ADMINS: ["bearer", "api_key"],
    }
    for operation in operations(document).values():
        service, _, rpc = operation["operationId"].partition("_")
        declared = access.get(f"/ocr_grpc.v1.{service}/{rpc}")
        if declared is not None:
            schemes = [name for each in operation["security"] for name in each]
            assert schemes == wanted[declared.audience], operation["operationId"]


def test_answers_hold_every_field_that_has_no_presence(document):
    limits = document["components"]["schemas"]["CallerLimits"]
    assert "required" not in limits  # its fields are `optional`
    event = document["components"]["schemas"]["StreamExtractResponse"]
    assert event["required"] == ["sequence"]  # the others are members of a `oneof`
    user = answer(document, "get /v1/users/me")["properties"]["user"]
    assert {"user_name", "disabled", "role"} <= set(resolved(document, user)["required"])
    assert "create_time" not in resolved(document, user)["required"]


def test_requests_may_leave_everything_out(document):
    schemas = document["components"]["schemas"]
    assert "required" not in schemas["UserInput"]
    assert schemas["UserInput"]["properties"].keys() == schemas["User"]["properties"].keys()


def test_what_stands_in_the_path_does_not_stand_in_the_body(document):
    rotate = operations(document)["post /v1/keys/{key_id}:rotate"]
    body = resolved(document, rotate["requestBody"]["content"]["application/json"]["schema"])
    assert [parameter["name"] for parameter in rotate["parameters"]] == ["key_id"]
    assert list(body["properties"]) == ["overlap_seconds"]


def test_an_upload_takes_its_options_in_the_query_or_in_a_form(document):
    upload = operations(document)["post /v1/ocr:upload"]
    names = [parameter["name"] for parameter in upload["parameters"]]
    assert {"options.mode", "options.page_image_side_px", "file_name", "size_bytes"} <= set(names)
    content = upload["requestBody"]["content"]
    assert content["application/octet-stream"]["schema"]["format"] == "binary"
    form = content["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    assert {"file", "prompt", "mode", "request_id"} <= set(form["properties"])


def test_streams_are_lines_or_server_sent_events(document):
    for call in ("post /v1/ocr:stream", "post /v1/ocr:upload"):
        content = operations(document)[call]["responses"]["200"]["content"]
        assert list(content) == ["application/x-ndjson", "text/event-stream"]


def test_every_error_is_a_status_with_typed_details(document):
    for response in document["components"]["responses"].values():
        schema = response["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Status"}
    assert "retry-after" in document["components"]["responses"]["Error429"]["headers"]
    for operation in operations(document).values():
        if operation["operationId"] != "Health_Check":
            assert "default" in operation["responses"]


def test_an_rpc_that_fails_as_another_has_its_errors(document):
    assert "409" in operations(document)["post /v1/admin/users"]["responses"]
    assert "401" in operations(document)["post /v1/auth/token"]["responses"]


def test_everything_has_a_sentence_of_its_own(document):
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if not value.get("description") and field not in ("@type", "retry_delay")
    ]
    assert silent == []
    for operation in operations(document).values():
        assert operation["summary"]
        for parameter in operation.get("parameters", ()):
            assert parameter["description"]


def test_every_rpc_that_reads_documents_has_an_example_that_fits_its_schema(document):
    for call in ("extract", "stream", "inspect"):
        body = operations(document)[f"post /v1/ocr:{call}"]["requestBody"]
        content = body["content"]["application/json"]
        schema = {**content["schema"], "components": document["components"]}
        jsonschema_rs.validator_for(schema).validate(content["example"])


def test_the_order_of_services_changes_nothing_but_the_order():
    comments = read_comments()
    forward = openapi_document(SERVICES, comments)
    backward = openapi_document(SERVICES[::-1], comments)
    assert forward["components"] == backward["components"]
    assert operations(forward) == operations(backward)


def test_a_summary_is_the_first_sentence():
    assert first_sentence("Signs in (RFC 6749, 4.3), as a form. More.") == (
        "Signs in (RFC 6749, 4.3), as a form"
    )


def test_the_running_service_imports_none_of_it():
    package = Path(WEB).parent
    outside = (path for path in package.rglob("*.py") if "openapi" not in path.parts)
    assert [path for path in outside if "ocr_grpc.openapi" in path.read_text()] == []
