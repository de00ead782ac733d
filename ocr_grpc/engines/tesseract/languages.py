"""The languages that Tesseract has trained data for, and which data a page is read with."""

from collections.abc import Iterable

LANGUAGES: dict[str, dict[str, str]] = {
    "Latin": {
        "afr": "af",
        "aze": "az",
        "bos": "bs",
        "bre": "br",
        "cat": "ca",
        "ceb": "ceb",
        "ces": "cs",
        "cos": "co",
        "cym": "cy",
        "dan": "da",
        "deu": "de",
        "eng": "en",
        "enm": "enm",
        "epo": "eo",
        "est": "et",
        "eus": "eu",
        "fao": "fo",
        "fil": "fil tl",
        "fin": "fi",
        "fra": "fr",
        "frm": "frm",
        "fry": "fy",
        "gla": "gd",
        "gle": "ga",
        "glg": "gl",
        "hat": "ht",
        "hrv": "hr",
        "hun": "hu",
        "ind": "id",
        "isl": "is",
        "ita": "it",
        "jav": "jv",
        "kmr": "kmr ku",
        "lat": "la",
        "lav": "lv",
        "lit": "lt",
        "ltz": "lb",
        "mlt": "mt",
        "mri": "mi",
        "msa": "ms",
        "nld": "nl",
        "nor": "no nb nn",
        "oci": "oc",
        "pol": "pl",
        "por": "pt",
        "que": "qu",
        "ron": "ro",
        "slk": "sk",
        "slv": "sl",
        "spa": "es",
        "sqi": "sq",
        "srp_latn": "sr-Latn",
        "sun": "su",
        "swa": "sw",
        "swe": "sv",
        "ton": "to",
        "tur": "tr",
        "uzb": "uz",
        "vie": "vi",
        "yor": "yo",
    },
    "Fraktur": {"frk": "de-Latf", "deu_latf": "de-Latf"},
    "Cyrillic": {
        "aze_cyrl": "az-Cyrl",
        "bel": "be",
        "bul": "bg",
        "kaz": "kk",
        "kir": "ky",
        "mkd": "mk",
        "mon": "mn",
        "rus": "ru",
        "srp": "sr sr-Cyrl",
        "tat": "tt",
        "tgk": "tg",
        "ukr": "uk",
        "uzb_cyrl": "uz-Cyrl",
    },
    "Greek": {"ell": "el", "grc": "grc"},
    "Arabic": {
        "ara": "ar",
        "fas": "fa",
        "kur_ara": "ckb ku-Arab",
        "pus": "ps",
        "snd": "sd",
        "uig": "ug",
        "urd": "ur",
    },
    "Hebrew": {"heb": "he", "yid": "yi"},
    "Han": {"chi_sim": "zh-Hans zh", "chi_tra": "zh-Hant"},
    "Japanese": {"jpn": "ja"},
    "Korean": {"kor": "ko"},
    "Devanagari": {"hin": "hi", "mar": "mr", "nep": "ne", "san": "sa"},
    "Armenian": {"hye": "hy"},
    "Bengali": {"asm": "as", "ben": "bn"},
    "Canadian_Aboriginal": {"iku": "iu"},
    "Cherokee": {"chr": "chr"},
    "Ethiopic": {"amh": "am", "tir": "ti"},
    "Georgian": {"kat": "ka"},
    "Gujarati": {"guj": "gu"},
    "Gurmukhi": {"pan": "pa"},
    "Kannada": {"kan": "kn"},
    "Khmer": {"khm": "km"},
    "Lao": {"lao": "lo"},
    "Malayalam": {"mal": "ml"},
    "Myanmar": {"mya": "my"},
    "Oriya": {"ori": "or"},
    "Sinhala": {"sin": "si"},
    "Syriac": {"syr": "syr"},
    "Tamil": {"tam": "ta"},
    "Telugu": {"tel": "te"},
    "Thaana": {"div": "dv"},
    "Thai": {"tha": "th"},
    "Tibetan": {"bod": "bo", "dzo": "dz"},
}
"""The script, in the word of Tesseract itself: its names of data to the BCP 47 codes of what
that data reads. What is for vertical lines, mathematics or most old languages is left out.
"""

SCRIPT_DETECTION = "osd"
"""The data that tells scripts apart."""

MOST_AT_ONCE = 3
"""Languages of one script that are tried where no hint was given: each costs a fifth to a half."""

_SCRIPT_OF = {code: script for script, some in LANGUAGES.items() for code in some}
_TAGS = {code: tags.split() for some in LANGUAGES.values() for code, tags in some.items()}
_CODES = {
    # The first that names a tag, as in `frk` before `deu_latf`.
    tag.lower(): [code for code in _TAGS if tag in _TAGS[code]]
    for tags in _TAGS.values()
    for tag in tags
}
_FIRST = ("eng", "rus", "ara", "chi_sim", "hin")
"""What is most likely meant, of its script, where nobody says."""


def supported(trained: Iterable[str]) -> tuple[str, ...]:
    """Return the BCP 47 codes of the languages that this data reads, sorted."""
    return tuple(sorted({tag for code in trained for tag in _TAGS.get(code, ())}))


def chosen(languages: Iterable[str], trained: Iterable[str]) -> tuple[str, ...]:
    """Return the data for languages that were asked for, in their order.

    Args:
        languages: BCP 47 codes; `de-AT` is `de`. Those that no data reads are passed over.
        trained: the data there is.
    """
    there = set(trained)
    found: dict[str, None] = {}
    for tag in languages:
        codes = _CODES.get(tag.lower()) or _CODES.get(tag.lower().split("-")[0]) or []
        found |= dict.fromkeys([code for code in codes if code in there][:1])
    return tuple(found)


def scripts(trained: Iterable[str]) -> tuple[str, ...]:
    """Return the scripts that there is data for."""
    return tuple(dict.fromkeys(_SCRIPT_OF[code] for code in trained if code in _SCRIPT_OF))


def usual(trained: Iterable[str], script: str = "") -> tuple[str, ...]:
    """Return the data to read a page with that nobody said the language of.

    Args:
        trained: the data there is.
        script: of the page; empty, or one without data: that of the likeliest language.
    """
    there = sorted((code for code in trained if code in _SCRIPT_OF), key=_likelihood)
    if script not in scripts(there):
        script = _SCRIPT_OF[there[0]]
    return tuple([code for code in there if _SCRIPT_OF[code] == script][:MOST_AT_ONCE])


def _likelihood(code: str) -> tuple[int, str]:
    return (_FIRST.index(code) if code in _FIRST else len(_FIRST)), code
