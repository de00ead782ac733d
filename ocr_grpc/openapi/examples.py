"""Requests that work as they stand, so that a reader can try them."""

import base64
from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]

TEXT = "# Invoice 7\n\nOak boards, 3 pieces\n"
DOCUMENT = base64.b64encode(TEXT.encode()).decode()
DATA_URL = f"data:text/markdown;base64,{DOCUMENT}"

INLINE: JsonObject = {"content": DOCUMENT, "file_name": "invoice.md"}
WITH_OPTIONS: JsonObject = {
    "options": {"mode": "MODE_AUTO", "pages": "1"},
    **INLINE,
    "request_id": "invoice-7",
}
JSON = "application/json"

BODY_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "OcrService.Extract": {JSON: WITH_OPTIONS},
    "OcrService.StreamExtract": {JSON: INLINE},
    "OcrService.Inspect": {JSON: INLINE},
    "CompatibilityService.RecognizeDocument": {
        JSON: {
            "model": "default",
            "document": {"type": "document_url", "document_url": DATA_URL},
        }
    },
    "CompatibilityService.CreateChatCompletion": {
        JSON: {
            "model": "default",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Read this."},
                        {"type": "file", "file": {"filename": "invoice.md", "file_data": DATA_URL}},
                    ],
                }
            ],
        }
    },
    "BatchService.CreateBatch": {
        JSON: {
            "documents": [INLINE],
            "display_name": "invoices",
        }
    },
    "AuthService.Login": {JSON: {"user_name": "ann", "password": "correct horse battery"}},
    "KeysService.CreateKey": {
        JSON: {"key": {"display_name": "ci", "scopes": ["SCOPE_OCR", "SCOPE_USAGE"]}}
    },
    "KeysService.UpdateKey": {JSON: {"display_name": "nightly scans"}},
}
"""By RPC and media type: a request."""

_CURL = "curl -H 'x-api-key: ocr_…'"

CODE_SAMPLES: Mapping[str, str] = {
    "OcrService.Extract": f"""{_CURL} -d '{{"content": "'$(base64 -w0 scan.pdf)'"}}' \\
  https://ocr.example.com/v1/ocr:extract""",
    "OcrService.StreamExtract": f"""{_CURL} -N -d '{{"content": "'$(base64 -w0 scan.pdf)'"}}' \\
  https://ocr.example.com/v1/ocr:stream""",
    "OcrService.UploadExtract": f"""{_CURL} -N --data-binary @scan.pdf \\
  'https://ocr.example.com/v1/ocr:upload?options.mode=MODE_FORCE_OCR'

{_CURL} -N -F file=@scan.pdf -F pages=1-3 https://ocr.example.com/v1/ocr:upload""",
    "OcrService.Inspect": f"""{_CURL} -d '{{"content": "'$(base64 -w0 scan.pdf)'"}}' \\
  https://ocr.example.com/v1/ocr:inspect""",
    "OcrService.GetCapabilities": "curl https://ocr.example.com/v1/ocr/capabilities",
    "BatchService.UploadDocument": f"""{_CURL} --data-binary @scan.pdf \\
  'https://ocr.example.com/v1/documents?file_name=scan.pdf'""",
    "BatchService.CreateBatch": f"""{_CURL} -d '{{"documents": [{{"upload_id": "…"}}]}}' \\
  https://ocr.example.com/v1/batches""",
    "BatchService.WatchBatch": f"""{_CURL} -N -H 'Accept: text/event-stream' \\
  https://ocr.example.com/v1/batches/{{batch_id}}:watch""",
    "BatchService.DownloadBatch": f"""{_CURL} -o results.zip \\
  'https://ocr.example.com/v1/batches/{{batch_id}}:download?format=RESULT_FORMAT_TEXT'""",
}
"""By RPC: how to call it from a terminal."""
