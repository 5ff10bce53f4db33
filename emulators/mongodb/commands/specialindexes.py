"""The options of text, geo and vector indexes in `createIndexes`, with what `listIndexes` shows of them.

Sources: the manual's "Text Index Properties" and "2dsphere Indexes"; "Vector search" of Azure DocumentDB's
documentation for `cosmosSearchOptions`.
"""

from __future__ import annotations

from typing import Any

from bson import Decimal128

from emulators.mongodb.errors import CommandError, bad_value, not_supported, type_mismatch
from emulators.mongodb.numeric import as_integer, double
from emulators.mongodb.query.text import language_of
from emulators.mongodb.storage.index import GEO, VECTOR
from emulators.mongodb.values import Document, is_number, type_name

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
        return {"2dsphereIndexVersion": _version(spec, "2dsphereIndexVersion")}
    return _flat(spec) if "2d" in kinds else {}


def _version(spec: Document, name: str) -> int:
    """From 1 to 3, which is the default."""
    value = spec.get(name, 3)
    _need_number(name, value)
    version = None if isinstance(value, Decimal128) else as_integer(value)
    if version is None or not 1 <= version <= 3:
        raise CommandError(67, f"{name} must be 1, 2 or 3, found {value}")
    return version


def _need_number(name: str, value: Any) -> None:
    if not is_number(value):
        raise type_mismatch(f"The field '{name}' must be a number, found {type_name(value)}")


def _flat(spec: Document) -> Document:
    """InvalidOptions (72) for bounds that hold nothing, and for bits outside 1 to 32."""
    given: Document = {name: spec[name] for name in ("bits", "min", "max") if name in spec}
    for name, value in given.items():
        _need_number(name, value)
    bits = given.get("bits", 26)
    whole = None if isinstance(bits, Decimal128) else as_integer(bits)
    if whole is None or not 1 <= whole <= 32:
        raise CommandError(72, f"bits in geo index must be between 1 and 32, found {bits}")
    bounds = {name: double(given[name]) for name in ("min", "max") if name in given}
    if not bounds.get("min", -180.0) < bounds.get("max", 180.0):
        raise CommandError(72, "region for geo hash must be defined and 'min' must be below 'max'")
    return given


def listed(spec: Document) -> Document:
    """An index as `listIndexes` shows it: the bounds of a flat one as doubles, which `$indexStats` shows as given."""
    if "2d" not in spec["key"].values():
        return spec
    return {name: double(value) if name in ("min", "max") else value for name, value in spec.items()}


def _text(spec: Document) -> Document:
    pattern = spec["key"]
    if any(kind in GEO for kind in pattern.values()):
        raise CommandError(67, "a text index may have no geo keys beside it")
    fields = [name for name, kind in pattern.items() if kind == "text"]
    weights = spec.get("weights", {})
    if not isinstance(weights, dict):
        code = 67 if isinstance(weights, str | list) else 14
        raise CommandError(code, f"The field 'weights' must be an object, found {type_name(weights)}")
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
    language, override = spec.get("default_language", "english"), spec.get("language_override", "language")
    for option, value in (("default_language", language), ("language_override", override)):
        if type(value) is not str:
            raise type_mismatch(f"The field '{option}' must be a string, found {type_name(value)}")
    _version(spec, "textIndexVersion")
    language_of(language, 67)
    if not override:
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
