"""Makes lists of paragraphs that begin with a typed bullet, as RTF has them. Child only."""

from ocr_grpc.documents.office.flow.tree import Blocks, Inlines, word

_BULLETS = ("•", "‣", "▪", "◦")
_BLANK = frozenset(("Space", "SoftBreak", "LineBreak"))


def with_typed_lists(blocks: Blocks) -> Blocks:
    """Return the blocks with consecutive paragraphs that begin with a bullet as one list."""
    changed: Blocks = []
    items: list[Blocks] = []
    for block in blocks:
        item = _item(block["c"]) if block["t"] in ("Para", "Plain") else None
        if item is not None:
            items.append([{"t": "Plain", "c": item}])
            continue
        changed += _list(items)
        items = []
        changed.append(block)
    return changed + _list(items)


def _list(items: list[Blocks]) -> Blocks:
    return [{"t": "BulletList", "c": items}] if items else []


def _item(inlines: Inlines) -> Inlines | None:
    """Return what follows the bullet; None if there is none, or nothing behind it."""
    if not inlines or inlines[0]["t"] != "Str" or not inlines[0]["c"].startswith(_BULLETS):
        return None
    rest = inlines[0]["c"][1:].lstrip()
    following = [word(rest)] if rest else []
    following += inlines[1:]
    while following and following[0]["t"] in _BLANK:
        following.pop(0)
    return following or None
