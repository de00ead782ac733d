"""Whether a model can do what a caller asks, said again once it is known which model it is.

Options are checked before anything is read, against what the server told until then. It may have
told nothing yet, and it may have another model when a page has its turn.
"""

from collections.abc import Set as AbstractSet

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.vlm.errors import UpstreamRefused
from ocr_grpc.engines.vlm.parts import VisionRead
from ocr_grpc.model import TextFormat


def check_fits(
    read: VisionRead, engine: EngineDescription, formats: AbstractSet[TextFormat]
) -> None:
    """Refuse a page that this model would be asked for otherwise than its caller wants.

    Args:
        read: what is asked.
        engine: what is to read it.
        formats: the forms of text that it writes.

    Raises:
        UpstreamRefused: it takes no prompt, writes no text of this form, or does not read one of
            the languages.
    """
    wanted = read.text_format
    if read.prompt.strip() and not engine.takes_prompt:
        raise UpstreamRefused(f"The model {engine.model} takes no prompt.", model=engine.model)
    if wanted is not None and wanted not in formats:
        raise UpstreamRefused(
            f"The model {engine.model} does not write {wanted.value} text.", model=engine.model
        )
    for language in read.options.languages:
        if not engine.reads(language):
            raise UpstreamRefused(
                f"The model {engine.model} does not read the language {language!r}.",
                model=engine.model,
                language=language,
            )
