"""The options of text, geo and vector indexes in `createIndexes`, with what `listIndexes` shows of them.

Sources: the manual's "Text Index Properties" and "2dsphere Indexes"; "Vector search" of Azure DocumentDB's
documentation for `cosmosSearchOptions`.
"""

from __future__ import annotations

from typing import Any

from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.text import language_of
from emulators.mongodb.storage.index import GEO, VECTOR
from emulators.mongodb.values import Document, is_number

VECTOR_OPTIONS = "cosmosSearchOptions"
_KINDS = {
    "vector-ivf": ("numLists",),
    "vector-hnsw": ("m", "efConstruction"),
    "vector-diskann": ("maxDegree", "lBuild"),
}
_SIMILARITIES = ("COS", "L2", "IP")
_MOST_DIMENSIONS = 16_000


def special_options(spec: Document) -> Document:
    """What such an index has beside the common options; nothing for another. 67 for what does not fit together."""
    kinds = [kind for kind in spec["key"].values() if isinstance(kind, str)]
    if VECTOR in kinds:
        return _vector(spec)
    if VECTOR_OPTIONS in spec:
        raise CommandError(67, f"{VECTOR_OPTIONS} belong to an index of the kind {VECTOR}")
    if "text" in kinds:
        return _text(spec)
    for option in ("weights", "default_language", "language_override"):
        if option in spec:
            raise CommandError(67, f"the option '{option}' belongs to a text index")
    if "2dsphere" in kinds:
        return {"2dsphereIndexVersion": as_integer(spec.get("2dsphereIndexVersion", 3))}
    if "2d" in kinds:
        return {name: spec[name] for name in ("bits", "min", "max") if name in spec}
    return {}


def _text(spec: Document) -> Document:
    pattern = spec["key"]
    if any(kind in GEO for kind in pattern.values()):
        raise CommandError(67, "a text index may have no geo keys beside it")
    fields = [name for name, kind in pattern.items() if kind == "text"]
    weights = spec.get("weights") or {}
    if not isinstance(weights, dict):
        raise CommandError(14, "The field 'weights' must be an object")
    for name, weight in weights.items():
        whole = as_integer(weight) if is_number(weight) else None
        if whole is None or not 0 < whole < 100_000:
            raise CommandError(
                67, f"text index weight must be in the exclusive interval (0,100000) but found: {weight}"
            )
        if name not in fields and name != "$**":
            fields.append(name)
    first = list(pattern).index(fields[0]) if fields and fields[0] in pattern else 0
    shown: Document = {}
    for place, (name, kind) in enumerate(pattern.items()):
        if place == first:
            shown |= {"_fts": "text", "_ftsx": 1}
        if kind != "text":
            shown[name] = kind
    language = spec.get("default_language", "english")
    language_of(language, 67)
    override = spec.get("language_override", "language")
    if type(override) is not str or not override:
        raise CommandError(67, "language_override is not valid")
    return {
        "key": shown,
        "weights": {name: weights.get(name, 1) for name in sorted(fields)},
        "default_language": language,
        "language_override": override,
        "textIndexVersion": 3,
    }


def _vector(spec: Document) -> Document:
    options = spec.get(VECTOR_OPTIONS)
    if len(spec["key"]) != 1:
        raise not_supported(f"an index of the kind {VECTOR} with more than one key")
    if not isinstance(options, dict):
        raise bad_value(f"an index of the kind {VECTOR} needs {VECTOR_OPTIONS}")
    kind, similarity = options.get("kind"), options.get("similarity")
    if kind not in _KINDS:
        raise bad_value(f"{VECTOR_OPTIONS}.kind must be one of {', '.join(_KINDS)}, found {kind!r}")
    if similarity not in _SIMILARITIES:
        raise bad_value(f"{VECTOR_OPTIONS}.similarity must be one of {', '.join(_SIMILARITIES)}, found {similarity!r}")
    for name in options:
        if name not in ("kind", "similarity", "dimensions", "compression", *_KINDS[kind]):
            raise bad_value(f"{VECTOR_OPTIONS}.{name} is no option of {kind}")
    for name in ("dimensions", *_KINDS[kind]):
        if name in options or name == "dimensions":
            number: Any = as_integer(options.get(name))
            if number is None or not 1 <= number <= _MOST_DIMENSIONS:
                raise bad_value(f"{VECTOR_OPTIONS}.{name} must be a whole number from 1 to {_MOST_DIMENSIONS}")
    return {VECTOR_OPTIONS: options}
