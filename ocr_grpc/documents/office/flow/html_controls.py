"""What the controls of HTML forms show, as text. Child only."""

from ocr_grpc.documents.office.archives.xml import Element

CONTROLS = frozenset(("input", "select", "textarea"))
_CHECKED, _UNCHECKED = "\u2612 ", "\u2610 "
_TEXT_FIELDS = frozenset(
    ("", "text", "email", "tel", "url", "search", "number", "date", "time", "month", "week")
)


def show(control: Element) -> None:
    """Make a control a piece of a line, with the text that it shows."""
    if control.tag == "select":
        text = _options(control)
    elif control.tag == "textarea":
        text = _words(control)
    else:
        text = _input(control)
    for child in list(control):
        control.remove(child)
    control.tag = "span"
    control.text = text


def _options(control: Element) -> str:
    options = list(control.iter("option"))
    chosen = [option for option in options if option.get("selected") is not None]
    return " ".join(_words(option).strip() for option in chosen or options)


def _input(control: Element) -> str:
    kind = (control.get("type") or "").strip().lower()
    if kind == "checkbox":
        control.tail = (control.tail or "").lstrip()
        return _UNCHECKED if control.get("checked") is None else _CHECKED
    return control.get("value") or "" if kind in _TEXT_FIELDS else ""


def _words(element: Element) -> str:
    return "".join(map(str, element.itertext()))
