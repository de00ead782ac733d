"""The languages the recognizer's characters suffice for."""

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
