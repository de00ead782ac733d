"""The files of the web app, and the URL paths they are served under."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from ocr_grpc.sidecar.plan import JsonObject, typed

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml; charset=utf-8",
    ".zip": "application/zip",
}
OTHER_MEDIA_TYPE = "application/octet-stream"

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
REFERENCE_POLICY = PAGE_POLICY + "; style-src 'self' 'unsafe-inline'"
"""For the pages of the API reference: the library that draws them styles elements one by one."""

REFERENCE_PAGES = ("/docs", "/redoc")

TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
NO_TRANSCODING = {TRANSCODER: typed("envoy.config.route.v3.FilterConfig", disabled=True)}
"""Without it the transcoder would refuse every path that is no RPC."""


def find_web_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of the web app by their URL paths, sorted.

    `index.html` is `/`, `name.html` is `/name`, everything else has its own path. Names with a dot
    in front are left out.
    """
    folder = folder or Path(str(files("ocr_grpc") / "web"))
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            found[_url_path(name)] = path
    return found


def web_routes(web_files: Mapping[str, str]) -> list[JsonObject]:
    """Return a route for each file, and one from `/name/` to each page called `/name`.

    Args:
        web_files: URL paths, and where Envoy finds the file of each.
    """
    pages = [url for url, name in web_files.items() if name.endswith(".html")]
    return [
        *(_route(url, name) for url, name in web_files.items()),
        *(_way_to(url) for url in pages if not url.endswith("/") and f"{url}/" not in web_files),
    ]


def _url_path(name: str) -> str:
    if name.endswith(".html"):
        name = name.removesuffix(".html")
        name = name.removesuffix("index") if name == "index" or name.endswith("/index") else name
    return f"/{name}"


def _route(url: str, name: str) -> JsonObject:
    media_type = MEDIA_TYPES.get(Path(name).suffix, OTHER_MEDIA_TYPE)
    headers = {
        "content-type": media_type,
        "cache-control": FOR_EVER if url.startswith("/assets/") else ASK_AGAIN,
    }
    if media_type.startswith("text/html"):
        policy = REFERENCE_POLICY if url in REFERENCE_PAGES else PAGE_POLICY
        headers["content-security-policy"] = policy
    return {
        "match": {"path": url},
        "direct_response": {"status": 200, "body": {"filename": name}},
        "response_headers_to_add": [_header(*pair) for pair in headers.items()],
        "typed_per_filter_config": NO_TRANSCODING,
    }


def _way_to(url: str) -> JsonObject:
    # Not `redirect`, which writes the scheme and the host too; a proxy in front may have others.
    return {
        "match": {"path": f"{url}/"},
        "direct_response": {"status": 308},
        "response_headers_to_add": [_header("location", url)],
        "typed_per_filter_config": NO_TRANSCODING,
    }


def _header(key: str, value: str) -> JsonObject:
    return {
        "header": {"key": key, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
