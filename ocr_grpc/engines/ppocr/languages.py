"""The languages the recognizer's characters suffice for, and the characters of Latin print."""

import unicodedata

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.backend import AlphabetName

EAST_ASIAN = {
    "ja": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもや"
    "ゆよらりるれろわをん"
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤ"
    "ユヨラリルレロワヲン日本語",
    "zh": "的一是不了在人有我他这中大来上国",
    "zh-Hans": "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去",
    "zh-Hant": "的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去",
}
"""Language to some of its most frequent characters; the thousands of others are not listed."""

LATIN = {
    "af": "áéèêëíîïóôöúûý",
    "az": "çəğıöşü",
    "bs": "čćđšž",
    "ca": "àçéèíïóòúü",
    "cs": "áčďéěíňóřšťúůýž",
    "cy": "âêîôûŵŷ",
    "da": "æøå",
    "de": "äöüß",
    "en": "",
    "es": "áéíñóúü",
    "et": "äõöüšž",
    "eu": "ñü",
    "fi": "äöå",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "ga": "áéíóú",
    "gl": "áéíñóúü",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "id": "",
    "is": "áðéíóúýþæö",
    "it": "àèéìòù",
    "ku": "çêîşû",
    "la": "",
    "lb": "äéë",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "mi": "āēīōū",
    "ms": "",
    "mt": "ċġħż",
    "nl": "éëïóöü",
    "no": "æøå",
    "oc": "àáçèéíïòóúü",
    "pl": "ąćęłńóśźż",
    "pt": "áâãàçéêíóôõú",
    "qu": "ñ",
    "rm": "àéèìòù",
    "ro": "ăâîșț",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšž",
    "sq": "çë",
    "sr-Latn": "čćđšž",
    "sv": "åäö",
    "sw": "",
    "tl": "ñ",
    "tr": "çğıİöşü",
    "uz": "",
    "vi": "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹàáãèéìíĩòóõùúũý",
}
"""Language to the letters it needs beyond a to z, in lower case."""

SIGNS = (
    *range(0x20, 0x7F),  # ASCII
    *range(0xA1, 0x100),  # signs of Latin-1
    *range(0x370, 0x400),  # Greek letters, as in formulas
    *range(0x2010, 0x2060),  # dashes, quotation marks, bullets
    *range(0x2070, 0x2090),  # raised and lowered figures
    *range(0x20A0, 0x20D0),  # currencies
    *range(0x2100, 0x2190),  # such as degrees Celsius, fractions, and Roman figures
    *range(0x2190, 0x219A),  # arrows
    *range(0x2200, 0x2270),  # mathematics
    *range(0x25A0, 0x2613),  # squares, circles, stars, boxes to tick
    *range(0x2713, 0x2719),  # ticks
)
"""Code points of Latin print besides Latin letters: figures, punctuation, signs."""


def alphabet_for(languages: tuple[str, ...]) -> AlphabetName:
    """Return the characters that these languages need; all of them if none is named."""
    return "latin" if languages and all(_is_latin(code.lower()) for code in languages) else "full"


def latin_labels(characters: tuple[str, ...]) -> NDArray[np.int32]:
    """Return the labels of Latin print, ascending: the blank, letters, signs, and the space.

    Args:
        characters: those of labels 1 onward; the space's label follows the last of them.
    """
    kept = [
        label
        for label, character in enumerate(characters, start=1)
        if all(ord(c) in _SIGNS or unicodedata.name(c, "").startswith("LATIN") for c in character)
    ]
    return np.array([0, *kept, len(characters) + 1], np.int32)


def supported(characters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the BCP 47 codes of languages of which every basic letter can be read, sorted."""
    known = set(characters)
    latin = {code for code, extra in LATIN.items() if known.issuperset(_both_cases(extra))}
    asian = {code for code, some in EAST_ASIAN.items() if known.issuperset(some)}
    return tuple(sorted(latin | asian))


def _both_cases(extra: str) -> set[str]:
    letters = set(extra) | set("abcdefghijklmnopqrstuvwxyz")
    upper = {letter.upper() for letter in letters if len(letter.upper()) == 1}
    return letters | upper


def _is_latin(code: str) -> bool:
    # `de-AT` is written as `de` is.
    return code in _LATIN or code.split("-")[0] in _LATIN


_SIGNS = frozenset(SIGNS)
_LATIN = frozenset(code.lower() for code in LATIN)
