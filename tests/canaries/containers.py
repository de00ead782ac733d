"""How canaries get into containers: relationships, entities, and members replaced."""

from html import escape
from xml.sax.saxutils import quoteattr

from tests.canaries.target import Target
from tests.fuzz.archive import archive, member
from tests.fuzz.good_documents import parts

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
R = f'xmlns:r="{RELATIONS}"'


def with_parts(name: str, more: dict[str, str]) -> bytes:
    """Return a good container with some members replaced or added."""
    whole = parts(name) | {path: content.encode() for path, content in more.items()}
    return archive(
        member(path, content, 0 if path == "mimetype" else 8) for path, content in whole.items()
    )


def part(name: str, path: str) -> str:
    """Return a member of a good container."""
    return parts(name)[path].decode()


def related(there: Target, kind: str, mode: str = "External") -> tuple[list[str], str]:
    """Return the ids of relationships of a kind to every address, and their XML."""
    ids = [f"rIdCanary{kind}{mode}{number}" for number in range(len(there.addresses))]
    xml = "".join(
        f'<Relationship Id="{name}" Type="{RELATIONS}/{kind}" Target={quoteattr(address)} '
        f'TargetMode="{mode}"/>'
        for name, address in zip(ids, there.addresses, strict=True)
    )
    return ids, xml


def more_relations(name: str, path: str, xml: str) -> str:
    """Return a part with relationships, and more of them."""
    return part(name, path).replace("</Relationships>", xml + "</Relationships>")


def outside_entities(there: Target, xml: str, text: str) -> str:
    """Return XML with entities that are files and addresses, used where `text` stands."""
    declared = "".join(
        f"<!ENTITY e{number} SYSTEM {quoteattr(address)}>"
        for number, address in enumerate(there.addresses)
    )
    used = "".join(f"&e{number};" for number in range(len(there.addresses)))
    outer = f'<!ENTITY % p SYSTEM "{escape(there.url)}"> %p;'
    start = xml.index("?>") + 2 if xml.startswith("<?xml") else 0
    doctype = f'<!DOCTYPE r SYSTEM "{escape(there.url)}" [{declared}{outer}]>'
    assert text in xml
    return xml[:start] + doctype + xml[start:].replace(text, text + used)


def included(there: Target) -> str:
    """Return XInclude elements for every address."""
    return "".join(
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" '
        f"href={quoteattr(address)}/>"
        for address in there.addresses
    )
