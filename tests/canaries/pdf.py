"""PDFs and pictures that reach out."""

import io

from PIL import PngImagePlugin

from tests.canaries.target import Target
from tests.documents.samples import objects_pdf, stream
from tests.support import encoded, picture

WORDS = b"BT /F1 24 Tf 50 700 Td (Visible words) Tj ET "
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def _string(text: str) -> str:
    return "(" + text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") + ")"


def _pdf(
    *more: str | bytes, catalog: str = "", page: str = "", resources: str = "", content: bytes = b""
) -> bytes:
    """Return a PDF of one page; more objects are numbered from 6 on."""
    return objects_pdf(
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        f"/Resources<</Font<</F1 5 0 R>>{resources}>>{page}>>",
        stream(WORDS + content),
        FONT,
        *more,
    )


def actions(there: Target) -> bytes:
    kinds = [
        form.replace("?", _string(address))
        for address in there.addresses
        for form in (
            "<</S/URI/URI ?>>", "<</S/Launch/F ?/Win<</F ?/P ?>>/NewWindow true>>",
            "<</S/GoToR/F ?/D[0/Fit]>>", "<</S/GoToE/F ?/T<</R/C/N ?>>>>", "<</S/Thread/F ?>>",
            "<</S/SubmitForm/F<</FS/URL/F ?>>/Flags 4>>", "<</S/ImportData/F ?>>",
            "<</S/Sound/Sound<</F ?>>>>", "<</S/Movie/T ?>>", "<</S/Rendition/R<</C<</D ?>>>>>>",
        )
    ]  # fmt: skip
    every = "".join(kinds)
    annotations = "".join(f"<</Subtype/Link/Rect[0 0 9 9]/A {each}>>" for each in kinds)
    return _pdf(
        catalog=f"/OpenAction<</S/JavaScript/JS({_script(there)})/Next[{every}]>>"
        f"/AA<</WC {kinds[0]}>>/URI<</Base {_string(there.url)}>>",
        page=f"/AA<</O {kinds[0]}/C {kinds[1]}>>/Annots[{annotations}]",
    )


def _script(there: Target) -> str:
    calls = ("app.launchURL", "this.submitForm", "SOAP.request", "util.readFileIntoStream")
    lines = "".join(f"{call}('{it}');" for it in there.addresses for call in calls)
    return lines.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def outside_streams(there: Target) -> bytes:
    """Return a page whose pictures and contents stand in other files."""
    many = [
        entry
        for address in there.addresses
        for entry in (
            f"<</Type/XObject/Subtype/Image/Width 9/Height 9/BitsPerComponent 8/ColorSpace/"
            f"DeviceGray"
            f"/F<</FS/URL/F{_string(address)}>>/Length 0>>stream\n\nendstream",
            f"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/F {_string(address)}/Length 0>>"
            f"stream\n\n"
            "endstream",
            f"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Ref<</F{_string(address)}/Page 0>>/"
            f"Length 0>>"
            "stream\n\nendstream",
        )
    ]
    names = "".join(f"/X{number} {6 + number} 0 R" for number in range(len(many)))
    drawn = b"".join(b"/X%d Do " % number for number in range(len(many)))
    return _pdf(*many, resources=f"/XObject<<{names}>>", content=drawn)


def outside_fonts(there: Target) -> bytes:
    fonts = "".join(
        f"/O{number}<</Type/Font/Subtype/TrueType/BaseFont/X{number}/FontDescriptor<</FontName/X"
        f"/FontFile2<</F{_string(address)}>>>>>>"
        for number, address in enumerate(there.addresses)
    )
    shown = b"".join(b"BT /O%d 9 Tf 9 9 Td (x) Tj ET " % n for n in range(len(there.addresses)))
    return _pdf(resources=f"/Font<</F1 5 0 R{fonts}>>", content=shown)


def forms(there: Target) -> bytes:
    declared = "".join(f'<!ENTITY e{n} SYSTEM "{it}">' for n, it in enumerate(there.addresses))
    xfa = (
        f"<!DOCTYPE x [{declared}]><xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'>&e0;&e13;"
        f"<submit target='{there.url}'/></xdp:xdp>"
    )
    return _pdf(
        stream(xfa.encode()), catalog="/AcroForm<</XFA 6 0 R/Fields[]>>/NeedsRendering true"
    )


def attachments(there: Target) -> bytes:
    files = "".join(
        f"(a{number:03})<</Type/Filespec/FS/URL/F{_string(it)}/UF{_string(it)}>>"
        for number, it in enumerate(there.addresses)
    )
    return _pdf(catalog=f"/Names<</EmbeddedFiles<</Names[{files}]>>>>/Collection<</View/D>>")


def _packet(there: Target) -> bytes:
    declared = "".join(f'<!ENTITY e{n} SYSTEM "{it}">' for n, it in enumerate(there.addresses))
    text = f"<!DOCTYPE x [{declared}]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&e0;&e13;</x:xmpmeta>"
    return text.encode()


def png(there: Target) -> bytes:
    told = PngImagePlugin.PngInfo()
    for number, address in enumerate(there.addresses):
        told.add_text(f"URL{number}", address)
    told.add_itxt("XML:com.adobe.xmp", _packet(there).decode())
    return encoded(picture(), pnginfo=told)


def jpeg(there: Target) -> bytes:
    return encoded(picture(), "JPEG", xmp=_packet(there), comment=there.url.encode())


def tiff(there: Target) -> bytes:
    buffer = io.BytesIO()
    told = {270: " ".join(there.addresses), 700: _packet(there), 269: str(there.path)}
    picture().save(buffer, "TIFF", tiffinfo=told)
    return buffer.getvalue()


def webp(there: Target) -> bytes:
    return encoded(picture(), "WEBP", xmp=_packet(there))


READ = {
    "pdf: actions": actions,
    "pdf: outside streams": outside_streams,
    "pdf: outside fonts": outside_fonts,
    "pdf: forms": forms,
    "pdf: attachments": attachments,
    "png: what it says of itself": png,
    "jpg: what it says of itself": jpeg,
    "tif: what it says of itself": tiff,
    "webp: what it says of itself": webp,
}
REFUSED: dict = {}
