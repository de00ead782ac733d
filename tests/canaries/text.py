"""Markdown, RTF and plain text that reach out."""

from tests.canaries.html import reaching
from tests.canaries.target import Target


def _each(there: Target, *lines: str) -> str:
    return "".join(line.replace("{}", it) + "\n\n" for it in there.addresses for line in lines)


def markdown(there: Target) -> bytes:
    lines = ("![a]({})", "![a](<{}>)", "[b]({})", "<{}>", "![c][{}]\n\n[{}]: {}", "[d]: {}",
             "![e]({}){width=5}", "!include {}", "{{< include {} >}}", "\\include{{}}",
             ".. include:: {}", "```{include={}}\n```",
             "```{.python include=\"{}\"}\n```")  # fmt: skip
    return f"# Visible words\n\n{_each(there, *lines)}".encode()


def markdown_with_html(there: Target) -> bytes:
    return ("# Visible words\n\n" + "\n\n".join(reaching(there))).encode()


def markdown_that_configures(there: Target) -> bytes:
    """Return Markdown whose metadata asks for files, as pandoc's own options do."""
    keys = ("bibliography", "csl", "template", "include-before", "include-in-header", "css", "logo",
            "header-includes", "metadata-file", "citation-abbreviations", "cover-image", "filters",
            "abbreviations", "reference-doc", "syntax-definition", "resource-path")  # fmt: skip
    lines = [f"{key}:\n" + "".join(f"  - '{it}'\n" for it in there.addresses) for key in keys]
    return f"---\n{''.join(lines)}---\n\n# Visible words\n\nSee [@key].\n".encode()


def _rtf(body: str) -> bytes:
    return ("{\\rtf1\\ansi Visible words\\par " + body + "}").encode()


def _escaped(address: str) -> str:
    return address.replace("\\", "\\\\\\\\")


def rtf_fields(there: Target) -> bytes:
    codes = ("INCLUDEPICTURE", "INCLUDETEXT", "LINK Word.Document.8", "DDEAUTO cmd", "HYPERLINK",
             "IMPORT", "RD", "MERGEFIELD")  # fmt: skip
    fields = "".join(
        f'{{\\field{{\\*\\fldinst {code} "{_escaped(address)}" \\\\d}}{{\\fldrslt x}}}}'
        for code in codes
        for address in there.addresses
    )
    return _rtf(fields)


def rtf_objects(there: Target) -> bytes:
    names = [(address.encode().hex(), _escaped(address)) for address in there.addresses]
    objects = "".join(
        "{\\object\\objautlink\\objupdate\\rsltpict{\\*\\objclass Word.Document.8}"
        f"{{\\*\\objdata {packed}}}{{\\result x}}}}{{\\*\\template {name}}}"
        f"{{\\*\\nextfile {name}}}{{\\filetbl{{\\file {name}}}}}"
        for packed, name in names
    )
    return _rtf(objects)


def csv_formulas(there: Target) -> bytes:
    kinds = ('=WEBSERVICE("{}")', '=HYPERLINK("{}")', '=IMPORTDATA("{}")', "=cmd|'/C {}'!A0")
    cells = (kind.replace("{}", it) for kind in kinds for it in there.addresses)
    lines = ("x,{}".format('"' + cell.replace('"', '""') + '"') for cell in cells)
    return ("name,formula\nVisible words,y\n" + "\n".join(lines) + "\n").encode()


def addresses(there: Target) -> bytes:
    return ("Visible words\n\n" + "\n".join(there.addresses) + "\n").encode()


def svg(there: Target) -> bytes:
    inner = "".join(f'<image href="{it}"/><use href="{it}#a"/>' for it in there.addresses)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"><text>Visible words</text>{inner}</svg>'.encode()
    )


READ = {
    "md: addresses": markdown,
    "md: with HTML": markdown_with_html,
    "md: that configures": markdown_that_configures,
    "rtf: fields": rtf_fields,
    "rtf: objects": rtf_objects,
    "csv: formulas": csv_formulas,
    "txt: addresses": addresses,
}
REFUSED = {"svg: a picture": (svg, "*")}
