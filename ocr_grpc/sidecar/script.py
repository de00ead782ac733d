"""What Envoy does to headers that none of its filters does: a script in Lua."""

import json
from collections.abc import Sequence

SCRIPT = """
function envoy_on_request(handle)
  local headers = handle:headers()
  local origin = headers:get("origin")
  if origin and (origins["*"] or origins[origin]) then
    handle:streamInfo():dynamicMetadata():set("ocr_grpc", "origin", origin)
  end
  local kind = headers:get("content-type") or ""
  if kind:sub(1, 16) == "application/grpc" then
    if (headers:get("accept") or ""):find("^application/grpc%-web%-text") then
      handle:streamInfo():dynamicMetadata():set("ocr_grpc", "base64", true)
    end
    return
  end
  local unfit = {}
  for name in pairs(headers) do
    if name:find("[^:a-z0-9_.-]") or name:sub(-4) == "-bin" or name == "grpc-encoding" then
      unfit[#unfit + 1] = name
    end
  end
  for _, name in ipairs(unfit) do
    headers:remove(name)
  end
  local timeout = headers:get("grpc-timeout")
  if timeout and (#timeout > 9 or not timeout:find("^%d+[HMSmun]$")) then
    headers:remove("grpc-timeout")
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local kind = headers:get("content-type")
  local status = headers:get(":status")
  local known = handle:streamInfo():dynamicMetadata():get("ocr_grpc") or {}
  local late = status == "408" or status == "504"
  if late and kind == "text/plain" and not known["base64"] then
    headers:replace(":status", "200")
    headers:replace("content-type", "application/grpc")
    headers:replace("grpc-status", "4")
    headers:replace("grpc-message", "The time for this call is over.")
    handle:body():setBytes("")
  end
  if kind and kind:find("^application/json") then
    headers:remove("grpc-status")
    headers:remove("grpc-message")
  end
  if kind == "application/json" then
    if headers:get("content-length") == nil and status == "200" then
      headers:replace("content-type", "application/x-ndjson")
    end
  end
  if status == "401" and headers:get("www-authenticate") == nil then
    headers:add("www-authenticate", 'Bearer realm="ocr_grpc"')
  end
  if known["origin"] and not (kind and kind:find("^text/html")) then
    headers:replace("access-control-allow-origin", known["origin"])
    if not origins["*"] then
      headers:add("vary", "origin")
    end
  end
end
"""
"""Takes headers off REST calls that gRPC cannot carry, and times that it cannot read: the service
would fail at them. Names a stream of JSON what it is: the transcoder calls that `application/json`
too, late. Ends a call of gRPC-Web whose time is over with DEADLINE_EXCEEDED, as gRPC does: Envoy
answers these with text, and all others with JSON (`local_replies`), and would make UNAVAILABLE of
it, which asks for a repetition; with Base64 it still does. Tells who may not call how to sign in
(RFC 9110, 11.6.1). Lets pages of other origins read answers that come from a route itself, such as
files: the CORS filter leaves these alone."""


def header_script(origins: Sequence[str]) -> str:
    """Return the script for a door whose pages of these origins may call; `*`: all."""
    table = ", ".join(f"[{json.dumps(origin, ensure_ascii=False)}] = true" for origin in origins)
    return f"local origins = {{{table}}}\n{SCRIPT}"
