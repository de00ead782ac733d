"""Which part of an Office Open XML document refers to which. Child only."""

import posixpath
from dataclasses import dataclass
from urllib.parse import unquote

from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.archive import Archive


@dataclass(frozen=True, slots=True)
class Relation:
    """A reference to another part; `kind` is the last word of its type, such as `image`."""

    kind: str
    part: str


def relations(archive: Archive, part: str) -> dict[str, Relation]:
    """Return what a part refers to inside of the document, by id; nothing outside is followed.

    Args:
        archive: the document.
        part: the name of its member; empty for the document itself.

    Raises:
        ReaderFailure: the references are damaged, or hidden behind a DOCTYPE.
    """
    folder, name = posixpath.split(part)
    where = posixpath.join(folder, "_rels", f"{name}.rels")
    if where not in archive:
        return {}
    found: dict[str, Relation] = {}
    for each in xml.parse(archive.read(where)).iter("{*}Relationship"):
        target = posixpath.normpath(posixpath.join("/", folder, unquote(each.get("Target", ""))))
        if each.get("TargetMode") != "External" and target[1:] in archive:
            kind = each.get("Type", "").rpartition("/")[2]
            found[each.get("Id", "")] = Relation(kind, target[1:])
    return found
