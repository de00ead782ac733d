"""Web pages that reach out."""

from html import escape

from tests.canaries.containers import included, outside_entities
from tests.canaries.target import Target

ELEMENTS = (
    "<img src={}/>", "<img srcset={} alt='a'/>", "<img lowsrc={}/>", "<iframe src={}></iframe>",
    "<object data={}></object>", "<embed src={}/>", "<video src={} poster={}></video>",
    "<audio src={}></audio>", "<picture><source srcset={}/></picture>",
    "<input type='image' src={}/>",
    "<a href={} ping={}>a link</a>", "<link rel='stylesheet' href={}/>",
    "<link rel='import' href={}/>",
    "<script src={}></script>", "<body background={}>",
    "<table background={}><tr><td>x</td></tr></table>",
    "<applet archive={} code={}></applet>", "<form action={}><button formaction={}>x</button></"
    "form>",
    "<meta http-equiv='refresh' content='0;url={}'/>", "<track src={}/>", "<frame src={}/>",
    "<svg xmlns='http://www.w3.org/2000/svg'><image href={}/><use href={}/><feImage href={}/></"
    "svg>",
    "<math xmlns='http://www.w3.org/1998/Math/MathML' href={}><mi>x</mi></math>",
    "<p style='background:url({})'>x</p>", "<blockquote cite={}>x</blockquote>",
    "<html manifest={}>", "<portal src={}></portal>", "<bgsound src={}/>",
)  # fmt: skip


def reaching(there: Target) -> list[str]:
    """Return every element that can reach out, with every address."""
    return [
        element.replace("'0;url={}'", f'"0;url={escape(address)}"')
        .replace("url({})", f"url({escape(address)})")
        .replace("{}", f'"{escape(address)}"')
        for element in ELEMENTS
        for address in there.addresses
    ]


def _page(body: str, head: str = "") -> bytes:
    return (
        f"<!DOCTYPE html><html><head><title>x</title>{head}</head><body><p>Visible words</p>{body}"
        "</body></html>"
    ).encode()


def elements(there: Target) -> bytes:
    return _page("".join(reaching(there)))


def styles(there: Target) -> bytes:
    rules = "".join(
        f'@import "{address}"; @import url({address}); '
        f"@font-face{{font-family:x;src:url({address})}}"
        f"p{{background:url('{address}')}}"
        for address in there.addresses
    )
    return _page("", f"<style>{rules}</style>")


def scripts(there: Target) -> bytes:
    lines = "".join(
        f"fetch({address!r});new Image().src={address!r};importScripts({address!r});"
        for address in there.addresses
    )
    return _page(f"<script>{lines}</script>")


def based_elsewhere(there: Target) -> bytes:
    host = there.url.rpartition("/")[0]
    return _page('<img src="canary.png"><iframe src="x"></iframe>', f'<base href="{host}/">')


def based_on_files(there: Target) -> bytes:
    folder = there.file_url.rpartition("/")[0]
    return _page('<img src="canary.txt"><object data="canary.txt">', f'<base href="{folder}/">')


def vector_pictures(there: Target) -> bytes:
    inner = "".join(
        f'<image xlink:href="{escape(it)}"/><use xlink:href="{escape(it)}#a"/><foreignObject>'
        f'<img src="{escape(it)}"/></foreignObject>' for it in there.addresses
    )  # fmt: skip
    return _page(f'<svg xmlns:xlink="http://www.w3.org/1999/xlink">{inner}</svg>')


def pages_in_addresses(there: Target) -> bytes:
    inner = escape(_page("".join(reaching(there)[:40])).decode())
    return _page(f'<iframe srcdoc="{inner}"></iframe><img src="data:image/svg+xml,{inner}">')


def xhtml(there: Target) -> bytes:
    styles = f'<?xml version="1.0"?><?xml-stylesheet href="{there.url}"?>'
    body = f"<p>Visible words</p>{included(there)}"
    return f'{styles}<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'.encode()


def entities(there: Target) -> bytes:
    page = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>Visible words'
        "</p></body></html>"
    )
    return outside_entities(there, page, "Visible words").encode()


READ = {
    "html: elements": elements,
    "html: styles": styles,
    "html: scripts": scripts,
    "html: based elsewhere": based_elsewhere,
    "html: based on files": based_on_files,
    "html: vector pictures": vector_pictures,
    "html: pages in addresses": pages_in_addresses,
    "xhtml: inclusions": xhtml,
}
REFUSED = {"xhtml: entities": (entities, "*")}
