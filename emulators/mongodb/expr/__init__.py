"""Aggregation expressions. Importing the package registers every operator with `core`."""

from emulators.mongodb.expr import (
    accumulate,
    arithmetic,
    arrays,
    compare,
    convert,
    dateparts,
    dates,
    objects,
    percentiles,
    sets,
    strings,
)

__all__ = [
    "accumulate",
    "arithmetic",
    "arrays",
    "compare",
    "convert",
    "dateparts",
    "dates",
    "objects",
    "percentiles",
    "sets",
    "strings",
]
