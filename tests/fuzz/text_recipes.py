"""Text that is no text, endless lines, and pathological Markdown, CSV, HTML and RTF."""

import base64
import bz2
import gzip
import lzma
from random import Random

from tests.fuzz.good_documents import good
from tests.fuzz.recipes import family, recipe

MANY = 100_000
PROSE = b"It was a bright cold day in April. "


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


family(
    "txt",
    {
        "empty": b"",
        "one byte": b"x",
        "zeros": bytes(1_000_000),
        "random": lambda dice: dice.randbytes(dice.choice((10, 5000, 300_000))),
        "all bytes": bytes(range(256)) * 100,
        "lone surrogates": b"\xff\xfe" + _utf16("words \ud800 and \udc00 more " * 50),
        "odd UTF-16": b"\xff\xfe" + _utf16("words") + b"x",
        "UTF-32": "words in four bytes each".encode("utf-32"),
        "UTF-32 beyond Unicode": b"\xff\xfe\0\0" + b"\xff\xff\xff\x7f" * 500,
        "overlong UTF-8": b"words \xc0\xaf \xe0\x80\xaf \xf8\x88\x80\x80\x80 \xed\xa0\x80 " * 50,
        "UTF-7": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4- " * 50,
        "EBCDIC": ("words that nobody reads " * 50).encode("cp037"),
        "controls": b"".join(b"word%c" % n for n in range(32)) * 50 + b"\x7f\xc2\x80\xc2\x9f",
        "terminal": b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[8m hidden \x1bP\x1b\\" * 50,
        "directions": "\u202egpj.exe\u2066\u2067\u200f\u202a words \u2028\u2029\ufeff".encode()
        * 50,
        "combining": ("a" + "\u0301" * 200_000).encode(),
        "not normal": ("\ufdfa\u1e9b\u0323\u0344" * 50_000).encode(),
        "private and unassigned": "\ue000\U0010ffff\ufffe\uffff\U000e0041 words ".encode() * 50,
        "two marks": b"\xef\xbb\xbf\xff\xfe words",
        "one line of 10 MB": PROSE * 300_000,
        "one word of 5 MB": b"w" * 5_000_000,
        "a million lines": b"\n" * 1_000_000,
        "only carriage returns": b"words\r" * MANY,
        "200,000 form feeds": b"\x0c" * 200_000,
        "9,000 form feeds": b"words\x0c" * 9_000,
        "PDF far behind": b"words " * 300 + b"%PDF-1.4\n" + good("pdf"),
        "speaks of formats": b"%PDF is a format, {\\rtf1 another, <html> a third, PK\3\4 a "
        b"fourth\n",
        "script": b"#!/bin/sh\nrm -rf /\n" * 20,
    },
)
family(
    "bin",
    {
        "gzip bomb": lambda _: gzip.compress(bytes(50_000_000)),
        "bzip2 bomb": lambda _: bz2.compress(bytes(20_000_000)),
        "xz bomb": lambda _: lzma.compress(bytes(20_000_000)),
        "7z": lambda dice: b"7z\xbc\xaf\x27\x1c\0\4" + dice.randbytes(500),
        "rar": lambda dice: b"Rar!\x1a\7\1\0" + dice.randbytes(500),
        "tar": b"../../etc/passwd".ljust(257, b"\0") + b"ustar  \0" + bytes(760),
        "ELF": lambda dice: b"\x7fELF\2\1\1" + dice.randbytes(500),
        "PE": lambda dice: b"MZ" + dice.randbytes(500),
        "class": lambda dice: b"\xca\xfe\xba\xbe" + dice.randbytes(500),
        "video": lambda dice: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + dice.randbytes(500),
        "sound": lambda dice: b"ID3\4\0\0\0\0\0\0\xff\xfb" + dice.randbytes(500),
        "SQLite": lambda dice: b"SQLite format 3\0" + dice.randbytes(500),
        "PostScript": b"%!PS\n(/etc/passwd) (r) file 1000 string readstring pop =\nshowpage\n",
        "XPS-like": b"<FixedDocument Source='file:///etc/passwd'/>",
        "flat ODF": b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendo'
        b'cument:xmlns:office:1.0" office:mimetype="application/vnd.oasis.opendocument.text"/>',
    },
)
family(
    "md",
    {
        "brackets": b"[" * MANY,
        "closed brackets": b"[" * 20_000 + b"a" + b"](b)" * 20_000,
        "images in links": b"[![" * 20_000,
        "emphasis": b"*a_ " * 50_000,
        "stars": b"*" * MANY + b"a" + b"*" * MANY,
        "strong": b"**a" * 50_000,
        "backticks": b" ".join(b"`" * n for n in range(1, 1500)),
        "quotes in quotes": b">" * 20_000 + b" a",
        "lists in lists": b"".join(b" " * 2 * n + b"- a\n" for n in range(1500)),
        "wide table": b"|a" * 20_000 + b"|\n" + b"|-" * 20_000 + b"|\n" + b"|b" * 20_000 + b"|\n",
        "long table": b"|a|b|\n|-|-|\n" + b"|c|d|\n" * 50_000,
        "grid table": b"+---" * 500 + b"+\n"
        + (b"| a " * 500 + b"|\n" + b"+---" * 500 + b"+\n") * 50,
        "angles": b"<" * 50_000,
        "comments": b"<!--" * 20_000,
        "tags": b"<a b='" * 20_000,
        "references": b"".join(b"[%d]: /u\n" % n for n in range(30_000)) + b"[1][2]" * 999,
        "footnotes in a circle": b"[^1]\n\n[^1]: [^2]\n[^2]: [^1]\n" * 50,
        "mathematics": b"$a$$b" * 20_000,
        "divs": b"::: a\n" * 5000,
        "long fence": b"~" * MANY + b"\nwords",
        "yaml": b"---\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9))
                   for n in range(12)) + b"---\nwords\n",
        "yaml, deep": b"---\na: " + b"[" * 20_000 + b"\n---\nwords\n",
        "autolinks": b"<http://" + b"a" * MANY + b"> " + b"www." * 20_000,
        "entities": b"&amp;&#0;&#xD800;&#x110000;&nothing;" * 5000,
        "headings": b"# a\n" * 50_000,
        "attributes": b"[a]{" + b".b " * 20_000 + b"}",
        "raw blocks": b"```{=html}\n<script>x</script>\n```\n" * 2000,
        "superscripts": b"a^b~c" * 20_000,
        "citations": b"[@a; @b, p. 3] " * 10_000,
        "line blocks": b"| a\n" * 50_000,
        "definitions": b"a\n:   b\n\n" * 10_000,
        "template": b"$for(x)$$endfor$ ${include('/etc/passwd')} \\input{/etc/passwd}\n" * 50,
    },
)  # fmt: skip
family(
    "csv",
    {
        "open quote": b'a,b,"c' + b"d,e\n" * MANY,
        "quotes": b'"' * 1_000_001,
        "a million columns": b"a," * 1_000_000,
        "a million rows": b"a,b\n" * 1_000_000,
        "100,000 empty rows": b",,,,\n" * MANY,
        "long field": b'a,"' + b"b" * 8_000_000 + b'",c\n',
        "formulas": b"=cmd|'/C calc'!A0,+1,-1,@SUM(A1),=WEBSERVICE(\"http://127.0.0.1:9\")\n" * 50,
        "every separator": b"a,b;c\td|e:f\n" * 500,
        "rows of every length": b"\n".join(b"a," * n for n in range(1200)),
        "zeros inside": b"a,\0,b\n" * 500,
        "pipes and breaks": b'"a|b","c\nd","`e`","<f>"\n' * 5000,
        "separator line": b"sep=|\na|b\n",
    },
)
family(
    "html",
    {
        "divs": b"<html>" + b"<div>" * MANY + b"x",
        "divs, closed": b"<html>" + b"<div>" * 20_000 + b"x" + b"</div>" * 20_000,
        "lists": b"<html>" + b"<ul><li>" * 5000 + b"x",
        "tables in tables": b"<html>" + b"<table><tr><td>" * 3000 + b"x",
        "quotes": b"<html>" + b"<blockquote>" * 10_000 + b"x",
        "b, i, b, i": b"<html><p>" + b"<b><i>" * 20_000 + b"x</b>" * 20_000,
        "anchors": b"<html>" + b"<a href=x>" * 50_000,
        "fonts": b"<html>" + b"<p><font size=1>" * 10_000,
        "cells": b"<html><table>" + (b"<tr>" + b"<td>x" * 300) * 300,
        "wide": b"<html><table><tr><td colspan=1000000000>x<tr><td>y</table>",
        "tall": b"<html><table><tr><td rowspan=1000000000>x<tr><td>y</table>",
        "wide and tall": b"<html><table>" + b"<tr><td colspan=5000 rowspan=5000>x" * 50,
        "negative": b"<html><table><tr><td colspan=-1 rowspan=99999999999999999999>x</table>",
        "columns": b"<html><table><col span=1000000000><tr><td>x</table>",
        "long list": b"<html><ol start=2147483647>" + b"<li value=-5>x" * 20_000,
        "attributes": b"<html><p " + b"".join(b"a%d " % n for n in range(MANY)) + b">x",
        "long attribute": b"<html><p title='" + b"x" * 5_000_000 + b"'>x",
        "style": b"<html><style>" + b"a{b:c}" * 500_000 + b"</style>x",
        "nested style": b"<html><style>" + b"@media a{" * MANY + b"</style>x",
        "script": b"<html><script>" + b"for(;;){}" * MANY + b"</script>x",
        "open comment": b"<html>x<!--" + b"-" * 500_000,
        "open tag": b"<html>x<p " * MANY,
        "open script": b"<html>x<script>" * 20_000,
        "plaintext": b"<html><plaintext>" + b"<b>" * MANY,
        "entities": b"<html>" + b"&lt;&#0;&#xD800;&#x110000;&nothing;&amp" * 20_000,
        "charset": b"<html><meta charset=utf-16><p>words",
        "utf-7": b"<html><meta charset=utf-7><p>+ADw-script+AD4-",
        "unknown charset": b"<html><meta charset=klingon><p>words",
        "zeros": b"<html>" + b"<p\0>\0x" * 5000,
        "UTF-16": "<html><p>words".encode("utf-16"),
        "svg": b"<html><svg>" + b"<g>" * 20_000 + b"<text>x</text></svg>",
        "mathml": b"<html><math>" + b"<mrow>" * 10_000 + b"<mi>x</mi></math>",
        "formula": b"<html><script type='math/tex'>" + b"{" * 20_000 + b"</script>",
        "select": b"<html><select>" + b"<option>x" * 50_000,
        "frames": b"<html><frameset>" + b"<frame src=/etc/passwd>" * 20_000,
        "templates": b"<html>" + b"<template>" * 20_000,
        "doctypes": b"<!DOCTYPE html>" * 20_000 + b"x",
        "entity declared": b'<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x;',
        "XHTML": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><p>x</html>',
        "no end": good("html")[:-200] + b"<pre>" + b" " * 3_000_000,
        "meta in a circle": b"<html><meta http-equiv=refresh content='0;url=#'>" * 20_000,
        "bdo": b"<html>" + b"<bdo dir=rtl>" * 5000 + b"x",
        "ruby": b"<html>" + b"<ruby>x<rt>" * 5000,
    },
)  # fmt: skip


@recipe("html")
def data_in_data(dice: Random) -> bytes:
    """Put a picture, or another page, into addresses, again and again."""
    inner, kind = dice.choice(((b"<p>words", b"text/html"), (good("png"), b"image/png")))
    for _ in range(dice.choice((1, 20))):
        inner = b'<html><img src="data:%s;base64,%s">' % (kind, base64.b64encode(inner))
        kind = b"text/html"
    return inner


@recipe("html")
def pictures_inside(dice: Random) -> bytes:
    address = b"data:image/png;base64," + base64.b64encode(good("png"))
    kinds = (address, b"data:,", b"data:image/png;base64,%%%", b"data:image/svg+xml,<svg/>", b"x")
    return b"<html>" + b"".join(b'<img src="%s">' % dice.choice(kinds) for _ in range(300))


@recipe("html", heavy=True)
def million_cells(_: Random) -> bytes:
    return b"<html><table>" + (b"<tr>" + b"<td>x" * 1000) * 1000


@recipe("csv", heavy=True)
def field_of_100_megabytes(_: Random) -> bytes:
    return b'a,"' + b"b" * 100_000_000 + b'",c\n'


family(
    "rtf",
    {
        "groups": b"{\\rtf1" + b"{" * MANY + b"x",
        "groups, closed": b"{\\rtf1" + b"{" * 50_000 + b"x" + b"}" * 50_000 + b"}",
        "bold groups": b"{\\rtf1" + b"{\\b " * 20_000 + b"x" + b"}" * 20_000 + b"}",
        "too many ends": b"{\\rtf1 x" + b"}" * MANY,
        "bin that lies": b"{\\rtf1{\\pict\\pngblip\\bin2147483647 x}}",
        "bin below 0": b"{\\rtf1{\\pict\\pngblip\\bin-1 x}} words",
        "bin in text": b"{\\rtf1 a\\bin5 {{{{{ b}",
        "long word": b"{\\rtf1\\" + b"w" * 1_000_000 + b" x}",
        "long number": b"{\\rtf1\\li" + b"9" * MANY + b" x}",
        "unicode": b"{\\rtf1\\uc0" + b"\\u-10179\\u65535\\u99999999\\u0 " * 5000 + b"}",
        "unicode skips": b"{\\rtf1\\uc2147483647\\u65 words}",
        "hexadecimal": b"{\\rtf1 " + b"\\'ff\\'zz\\'" * 50_000 + b"}",
        "page breaks": b"{\\rtf1" + b"\\page x" * 9_000 + b"}",
        "sections": b"{\\rtf1" + b"\\sect\\sectd x\\par" * 9_000 + b"}",
        "fonts": b"{\\rtf1{\\fonttbl" + b"{\\f1 Arial;}" * 50_000 + b"}x}",
        "colours": b"{\\rtf1{\\colortbl" + b";" * 500_000 + b"}x}",
        "cells": b"{\\rtf1\\trowd" + b"\\cellx9" * 20_000 + b"x\\cell" * 20_000 + b"\\row}",
        "rows": b"{\\rtf1" + b"\\trowd\\cellx9\\intbl x\\cell\\row" * 20_000 + b"}",
        "tables in tables": b"{\\rtf1" + b"\\itap99\\trowd\\intbl x\\nestcell" * 5000 + b"}",
        "picture": b"{\\rtf1{\\pict\\pngblip\\picw99999999\\pich99999999 "
        + good("png").hex().encode() + b"}}",
        "metafile": b"{\\rtf1{\\pict\\wmetafile8 " + b"0100090000" * 20_000 + b"}}",
        "objects": b"{\\rtf1" + b"{\\object\\objemb{\\*\\objdata d0cf11e0}}" * 5000 + b"}",
        "fields": b"{\\rtf1"
        + b"{\\field{\\*\\fldinst INCLUDETEXT /etc/passwd}{\\fldrslt x}}" * 999,
        "lists": b"{\\rtf1{\\*\\listtable" + b"{\\list\\listid1}" * 20_000 + b"}x}",
        "footnotes": b"{\\rtf1" + b"x{\\footnote " * 5000 + b"}" * 5001,
        "hidden": b"{\\rtf1" + b"{\\*\\nothing " * 20_000 + b"}" * 20_001,
        "not rtf": b"{\\rtfz words",
        "code page": b"{\\rtf1\\ansicpg99999 \\'e4\\'f6}",
    },
)  # fmt: skip
