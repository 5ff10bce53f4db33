"""Collations: text compared as people of a language do, in levels, instead of by its code points.

A collation turns a text into a key (`Collation.text_key`), and `values.key` uses that of the running command for every
text inside of a value (see `deadline.collated`). The order is that of the Unicode Collation Algorithm's root table for
ASCII, Latin, Greek and Cyrillic letters: white space, punctuation, symbols, currencies, digits, letters; below it
accents, then case. Languages whose order departs from it are refused by name. Source: the manual's "Collation", and
Unicode Technical Standard 10.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value, not_supported, type_mismatch
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.values import Document, Key, is_number, type_name

# Languages that CLDR gives no order of their own.
_ROOT_LANGUAGES = frozenset(
    {"en", "de", "fr", "it", "nl", "pt", "id", "ms", "ga", "lb", "sw", "zu", "nb_NO_POSIX", "root"}
)
_TAILORED = frozenset({"fr_CA", "de_AT@collation=phonebook", "de@collation=phonebook", "en_US_POSIX"})
_LOCALE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,5})*(@collation=[a-z]+)?")
_WORDS = {
    "caseFirst": ("upper", "lower", "off"),
    "alternate": ("non-ignorable", "shifted"),
    "maxVariable": ("punct", "space"),
}
_FLAGS = ("caseLevel", "numericOrdering", "normalization", "backwards")
VERSION = "57.1"  # of the library that MongoDB 7.0 has its orders from

_PUNCTUATION = "_-,;:!?.'\"()[]{}@*/\\&#%"
_SYMBOLS = "`^+<=>|~"
_SPACE, _PUNCT, _SYMBOL, _CURRENCY, _DIGIT, _LETTER = range(6)
# Letters that the root table writes as others with a difference of accent.
_SPELT = {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ß": "ss"}
# Marks in the root table's order: acute, grave, breve, circumflex, caron, ring, diaeresis, …
_MARKS = "\u0301\u0300\u0306\u0302\u030c\u030a\u0308\u030b\u0303\u0307\u0338\u0327\u0328\u0304"
_NOT_VARIABLE = (99, 0)
_LONGEST_NUMBER = 254  # digits that ICU takes as one number


TextKey = Callable[[str], Key]


@dataclass(frozen=True)
class Collation:
    """One order of texts; its fields are the options' names in the manual."""

    locale: str
    strength: int = 3
    case_level: bool = False
    case_first: str = "off"
    numeric: bool = False
    shifted: bool = False
    space_only: bool = False
    normalization: bool = False
    backwards: bool = False

    def document(self) -> Document:
        """All options, as `listCollections` and `listIndexes` show them."""
        return {
            "locale": self.locale,
            "caseLevel": self.case_level,
            "caseFirst": self.case_first,
            "strength": self.strength,
            "numericOrdering": self.numeric,
            "alternate": "shifted" if self.shifted else "non-ignorable",
            "maxVariable": "space" if self.space_only else "punct",
            "normalization": self.normalization,
            "backwards": self.backwards,
            "version": VERSION,
        }

    @property
    def text_key(self) -> TextKey:
        """The place of a text in the order: equal for texts that the collation does not tell apart.

        One and the same function for equal collations.
        """
        return _text_key(self)


def parse_collation(spec: Any, name: str = "collation") -> Collation | None:
    """A collation from a command or an index; None for `{locale: "simple"}`, which compares code points.

    40414 without a locale, 40415 for an unknown option, 14 and 2 for a wrong value, 238 for a language with an order of
    its own.
    """
    if not isinstance(spec, dict):
        raise type_mismatch(f"BSON field '{name}' is the wrong type '{type_name(spec)}', expected type 'object'")
    spec = {option: value for option, value in spec.items() if value is not None or option == "locale"}
    for option, value in spec.items():
        _check_option(name, option, value)
    if "locale" not in spec:
        raise CommandError(40414, f"BSON field '{name}.locale' is missing but a required field")
    locale: str = spec["locale"]
    if locale == "simple":
        return None
    if locale in _TAILORED or locale.partition("@")[0].partition("_")[0] not in _ROOT_LANGUAGES or "@" in locale:
        if not _LOCALE.fullmatch(locale):
            raise bad_value(f"Field 'locale' is invalid in: {spec}")
        raise not_supported(f"the order of the locale '{locale}' in a collation")
    strength = int(as_integer(spec.get("strength", 3)) or 0)
    backwards = bool(spec.get("backwards", False))
    if backwards and strength == 1:
        raise bad_value("'backwards' is invalid with 'strength' of 1")
    if spec.get("caseFirst", "off") != "off" and not spec.get("caseLevel") and strength < 3:
        raise bad_value("'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2")
    return Collation(
        locale,
        strength,
        bool(spec.get("caseLevel", False)),
        spec.get("caseFirst", "off"),
        bool(spec.get("numericOrdering", False)),
        spec.get("alternate") == "shifted",
        spec.get("maxVariable") == "space",
        bool(spec.get("normalization", False)),
        backwards,
    )


def _check_option(name: str, option: str, value: Any) -> None:
    wrong = type_mismatch(f"BSON field '{name}.{option}' is the wrong type '{type_name(value)}'")
    if option == "locale" or option == "version":
        if type(value) is not str:
            raise wrong
        if option == "version" and value != VERSION:
            raise CommandError(161, f"Requested collation version '{value}' is not available, which is {VERSION}")
    elif option == "strength":
        if not is_number(value):
            raise wrong
        if as_integer(value) not in (1, 2, 3, 4, 5):
            raise bad_value(f"Enumeration value '{value}' for field '{name}.strength' is not a valid value.")
    elif option in _FLAGS:
        if not isinstance(value, bool):
            raise wrong
    elif option in _WORDS:
        if type(value) is not str:
            raise wrong
        if value not in _WORDS[option]:
            raise bad_value(f"Enumeration value '{value}' for field '{name}.{option}' is not a valid value.")
    else:
        raise CommandError(40415, f"BSON field '{name}.{option}' is an unknown field.")


@lru_cache(maxsize=64)
def _text_key(collation: Collation) -> TextKey:
    return lru_cache(maxsize=16_384)(partial(_key, collation))


def _key(collation: Collation, text: str) -> Key:
    elements = _elements(text)
    if collation.numeric:
        elements = _numbers(elements)
    primary: list[Any] = []
    accents: list[tuple[int, ...]] = []
    cases: list[int] = []
    fourth: list[Any] = []
    for weight, accent, case in elements:
        if weight is None:
            if accents:
                accents[-1] += accent
            continue
        if collation.shifted and weight[0] <= (_SPACE if collation.space_only else _PUNCT):
            fourth.append(weight)
            continue
        primary.append(weight)
        accents.append(accent)
        cases.append(case)
        fourth.append(_NOT_VARIABLE)
    levels: list[Any] = [tuple(primary)]
    if collation.strength >= 2:
        levels.append(tuple(reversed(accents)) if collation.backwards else tuple(accents))
    if collation.case_first == "upper":
        cases = [-case for case in cases]
    if collation.case_level:
        levels.append(tuple([(case > 1) - (case < -1) for case in cases]))
    if collation.strength >= 3:
        levels.append(tuple(cases))
    if collation.strength >= 4 and collation.shifted:
        levels.append(tuple(fourth))
    if collation.strength >= 5:
        levels.append(unicodedata.normalize("NFD", text))
    return (15, *levels)


# (weight, accent, case) of one letter; a weight of None for an accent that belongs to the letter before.
Element = tuple[Any, tuple[int, ...], int]


def _elements(text: str) -> list[Element]:
    found: list[Element] = []
    for character in unicodedata.normalize("NFD", text):
        category = unicodedata.category(character)
        if category.startswith("M"):
            found.append((None, (_MARKS.find(character) if character in _MARKS else ord(character),), 0))
        elif category not in ("Cc", "Cf") or character.isspace():
            lower = character.lower()
            plain = unicodedata.normalize("NFKD", _SPELT.get(lower, lower.casefold()))
            case = 2 if character != lower and character.isupper() else int(plain != lower)
            accent = (ord(lower),) if lower in _SPELT else ()
            parts = [part for part in plain if not unicodedata.category(part).startswith("M")]
            if category == "No" and len(parts) == 1 and parts[0].isdecimal():
                found.append(((_DIGIT, unicodedata.decimal(parts[0])), (ord(character),), 1))
            else:
                found += [(_weight(part) if plain != " " else _weight(character), accent, case) for part in parts]
    return found


def _weight(character: str) -> tuple[int, int]:
    if character == "\xa0":  # no white space to `maxVariable`
        return _PUNCT, -1
    if character.isspace():
        return _SPACE, ord(character)
    if character in _PUNCTUATION:
        return _PUNCT, _PUNCTUATION.index(character)
    if character in _SYMBOLS:
        return _SYMBOL, _SYMBOLS.index(character)
    if character.isdecimal():
        return _DIGIT, unicodedata.decimal(character)
    category = unicodedata.category(character)
    if category == "Sc":
        return _CURRENCY, ord(character)
    rank = {"P": _PUNCT, "S": _SYMBOL, "Z": _SPACE, "N": _DIGIT}.get(category[0], _LETTER)
    return rank, 1000 + ord(character) if rank != _LETTER else ord(character)


def _numbers(elements: list[Element]) -> list[Element]:
    """The elements with each run of digits as one number: by its length without leading zeros, then its digits."""
    found: list[Element] = []
    run: list[int] | None = None
    for weight, accent, case in [*elements, ((-1, 0), (), 0)]:
        is_digit = weight is not None and weight[0] == _DIGIT and weight[1] < 10
        if run is not None and len(run) == _LONGEST_NUMBER:
            found.append((_number(run), (), 0))
            run = None
        if is_digit and not accent:
            run = [*(run or []), weight[1]]
            continue
        if run is not None:
            found.append((_number(run), (), 0))
            run = None
        if is_digit:
            found.append((_number([weight[1]]), accent, case))
        elif weight is None or weight[0] >= 0:
            found.append((weight, accent, case))
    return found


def _number(run: list[int]) -> tuple[int, int, tuple[int, ...]]:
    digits = tuple(run[next((n for n, digit in enumerate(run) if digit), len(run)) :])
    return _DIGIT, len(digits), digits
