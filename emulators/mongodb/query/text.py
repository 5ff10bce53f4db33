"""`$text` and text indexes: words, their stems, the score of a document, and what a search asks for.

In English, and without language ("none"); other languages are refused by name. A document's score is the sum over the
words that were sought of what the index knows of them. Sources: the manual's "Text Indexes" and "$text"; the server's
`FTSSpec::_scoreStringV2` for the score.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value, not_supported, type_mismatch
from emulators.mongodb.query.paths import leaves
from emulators.mongodb.query.stem import stem
from emulators.mongodb.values import MISSING, Document, Key, type_name

_WORD = re.compile(r"[\w']+")
_PARTS = re.compile(r'(?P<no>(?<!\S)-)?"(?P<phrase>[^"]*)"?|(?P<minus>(?<!\S)-)?(?P<words>[^\s"]+)')
_STOP_WORDS = """
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself
it its itself they them their theirs themselves what which who whom this that these those am is are was were be
been being have has had having do does did doing would should could ought i'm you're he's she's it's we're
they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll isn't
aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't shan't shouldn't can't cannot
couldn't mustn't let's that's who's what's here's there's when's where's why's how's a an the and but if or
because as until while of at by for with about against between into through during before after above below to
from up down in out on off over under again further then once here there when where why how all any both each
few more most other some such no nor not only own same so than too very
"""
_STOP = frozenset(_STOP_WORDS.split())
_ENGLISH, _NONE = ("english", "en"), ("none",)
_OTHER_LANGUAGES = """
da danish nl dutch fi finnish fr french de german hu hungarian it italian nb norwegian pt portuguese ro romanian
ru russian es spanish sv swedish tr turkish
"""
_OTHERS = frozenset(_OTHER_LANGUAGES.split())
Terms = dict[str, float]


def language_of(name: Any, code: int = 17262) -> bool:
    """Whether words are English; False for "none". 17262 (or `code`) for no language, 238 for one that is not here."""
    text = name.lower() if type(name) is str else None
    if text in _ENGLISH:
        return True
    if text in _NONE:
        return False
    if text in _OTHERS:
        raise not_supported(f"text search in '{name}'")
    raise CommandError(code, f"language override unsupported: {name}")


def plain(text: str, *, case: bool = False, marks: bool = False) -> str:
    """A text without case and diacritical marks, unless they are kept."""
    found = text if case else text.lower()
    if marks:
        return found
    return "".join(letter for letter in unicodedata.normalize("NFD", found) if not unicodedata.combining(letter))


def words_of(text: str, english: bool, *, case: bool = False, marks: bool = False) -> Iterator[tuple[str, str]]:
    """(the term, the word as it stands) of each word that counts."""
    for found in _WORD.findall(text):
        lower = found.lower()
        if english and lower in _STOP:
            continue
        term = stem(lower) if english else lower
        if case:  # the stem in the word's own letters
            term = found[: len(term)] if lower.startswith(term) else found
        yield plain(term, case=case, marks=marks), found


@dataclass(frozen=True)
class TextSpec:
    """What a text index covers: weights by path ("$**" for every text), and the language."""

    weights: dict[str, float]
    default_language: str = "english"
    override: str = "language"

    def texts(self, document: Document) -> Iterator[tuple[str, float, bool]]:
        """(text, weight, English) of each text of the document that the index covers."""
        english = language_of(document.get(self.override, self.default_language))
        everything = self.weights.get("$**")
        for path, weight in self.weights.items():
            if path != "$**":
                for value in leaves(document, tuple(path.split("."))):
                    for item in value if type(value) is list else [value]:
                        if type(item) is str:
                            yield item, weight, english
        if everything is not None:
            for path, item in _all_texts(document, ""):
                if path not in self.weights:
                    yield item, everything, english

    def terms(self, document: Document) -> Terms:
        """The document's words with their scores."""
        found: Terms = {}
        for text, weight, english in self.texts(document):
            for term, score in _scores(text, english).items():
                found[term] = found.get(term, 0.0) + weight * score
        return found


def _all_texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if type(value) is str:
        yield path, value
    elif type(value) is dict:
        for name, item in value.items():
            yield from _all_texts(item, f"{path}.{name}" if path else name)
    elif type(value) is list:
        for item in value:
            yield from _all_texts(item, path)


def _scores(text: str, english: bool) -> Terms:
    """What each word of one text weighs: less each time that it comes again, more in a short text."""
    frequency: Terms = {}
    counts: dict[str, int] = {}
    number = 0
    for term, _ in words_of(text, english):
        counts[term] = counts.get(term, 0) + 1
        frequency[term] = frequency.get(term, 0.0) + 1 / 2 ** (counts[term] - 1)
        number += 1
    return {
        term: (frequency[term] * (0.5 * counts[term] / number + 0.5)) * (1.1 if plain(text) == term else 1.0)
        for term in counts
    }


class Postings:
    """The words of a collection: which documents have them, with which score."""

    def __init__(self, spec: TextSpec) -> None:
        self.spec = spec
        self._terms: dict[str, dict[Key, float]] = {}

    def add(self, document: Document, identity: Key) -> None:
        for term, score in self.spec.terms(document).items():
            self._terms.setdefault(term, {})[identity] = score

    def remove(self, document: Document, identity: Key) -> None:
        for term in self.spec.terms(document):
            holders = self._terms.get(term, {})
            holders.pop(identity, None)
            if not holders:
                self._terms.pop(term, None)

    def holders(self, term: str) -> dict[Key, float]:
        return self._terms.get(term, {})


@dataclass(frozen=True)
class Search:
    """A parsed `$search`: words sought and refused, and phrases that have to be there or must not be."""

    terms: frozenset[str]
    refused: frozenset[str]
    phrases: tuple[str, ...]
    refused_phrases: tuple[str, ...]
    english: bool
    case: bool
    marks: bool

    def found(self, postings: Postings) -> dict[Key, float]:
        """The scores of the documents that have a word that is sought, and none that is refused."""
        insensitive = {plain(term) for term in self.terms}
        scores: dict[Key, float] = {}
        for term in sorted(insensitive):
            for identity, score in postings.holders(term).items():
                scores[identity] = scores.get(identity, 0.0) + score
        for term in self.refused if not (self.case or self.marks) else ():
            for identity in postings.holders(term):
                scores.pop(identity, None)
        return scores

    def fits(self, spec: TextSpec, document: Document) -> bool:
        """Whether the phrases hold and, where case or marks count, the words too."""
        if not (self.phrases or self.refused_phrases or self.case or self.marks):
            return True
        texts = [text for text, _, _ in spec.texts(document)]
        shown = [plain(text, case=self.case, marks=self.marks) for text in texts]
        if not all(any(phrase in text for text in shown) for phrase in self.phrases):
            return False
        if any(phrase in text for phrase in self.refused_phrases for text in shown):
            return False
        if not (self.case or self.marks):
            return True
        words = {term for text in texts for term, _ in words_of(text, self.english, case=self.case, marks=self.marks)}
        return bool(self.terms & words) and not self.refused & words


def parse_search(value: Any, default_language: str) -> Search:
    """The operand of `$text`; 9 without a text to search, 2 and 14 for what it does not know."""
    if not isinstance(value, dict):
        raise bad_value("$text expects an object")
    types = {"$search": "string", "$language": "string", "$caseSensitive": "bool", "$diacriticSensitive": "bool"}
    for name, given in value.items():
        if name not in types:
            raise bad_value("extra fields in $text")
        if type_name(given) != types[name]:
            raise type_mismatch(f'"{name}" had the wrong type. Expected {types[name]}, found {type_name(given)}')
    if "$search" not in value:
        raise CommandError(4, 'Missing expected field "$search"')
    english = language_of(value.get("$language") or default_language, 2)
    case, marks = bool(value.get("$caseSensitive")), bool(value.get("$diacriticSensitive"))
    terms: set[str] = set()
    refused: set[str] = set()
    phrases: list[str] = []
    refused_phrases: list[str] = []
    for part in _PARTS.finditer(value["$search"]):
        phrase = part["phrase"]
        text, no = (part["words"], part["minus"]) if phrase is None else (phrase, part["no"])
        if phrase:
            (refused_phrases if no else phrases).append(plain(phrase, case=case, marks=marks))
        if phrase is None or not no:
            found = {term for term, _ in words_of(text, english, case=case, marks=marks)}
            (refused if no else terms).update(found)
    return Search(frozenset(terms), frozenset(refused), tuple(phrases), tuple(refused_phrases), english, case, marks)


Test = Callable[[Document], bool]


def text_test(
    search: Search, postings: Postings, identity: Callable[[Any], Key], note: Callable[[Document, float], None]
) -> Test:
    """Whether a document of the collection is found; its score is noted."""
    scores = search.found(postings)

    def test(document: Document) -> bool:
        score = scores.get(identity(document.get("_id", MISSING)))
        if score is None or not search.fits(postings.spec, document):
            return False
        note(document, score)
        return True

    return test
