"""StringComparison and StringComparer: what counts as equal, and what comes first."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from emulators.apim.csharp import decimals
from emulators.apim.csharp.clr import ClrError, JToken
from emulators.apim.csharp.library import enum

_KINDS = (
    "Ordinal",
    "OrdinalIgnoreCase",
    "InvariantCulture",
    "InvariantCultureIgnoreCase",
    "CurrentCulture",
    "CurrentCultureIgnoreCase",
)
enum("StringComparison", *_KINDS)
enum("StringComparer", *_KINDS)


def fold(value: Any, comparison: Any = None) -> Any:
    """The value as a comparison, by its name, sees it."""
    return (
        value.lower()
        if isinstance(value, str) and comparison is not None and comparison.endswith("IgnoreCase")
        else value
    )


def order_key(value: Any) -> Any:
    """How the invariant culture sorts texts: letters before their case, lower case first."""
    return (value.lower(), value.swapcase()) if isinstance(value, str) else value


def _not_comparable() -> ClrError:
    return ClrError("ArgumentException", "At least one object must implement IComparable.")


def _tokens(left: Any, right: Any) -> int:
    """Values of JSON compare by what they hold: texts ordinally, numbers as numbers, also with a text that is one
    (JValue.CompareTo). Containers do not compare."""
    one, two = (item.raw if isinstance(item, JToken) else item for item in (left, right))
    if isinstance(one, dict | list) or isinstance(two, dict | list):
        raise _not_comparable()
    if one is None or two is None:
        return int(one is not None) - int(two is not None)
    if isinstance(one, str) is not isinstance(two, str):
        one, two = (decimals.parse(item) if isinstance(item, str) else item for item in (one, two))
    return int(one > two) - int(one < two)


class _Compared:
    """-1, 0 or 1 as `Compare` answers; null comes before all."""

    def __call__(self, left: Any, right: Any, comparison: str = "InvariantCulture") -> int:
        if left is None or right is None:
            return int(left is not None) - int(right is not None)
        if isinstance(left, JToken) or isinstance(right, JToken):
            return _tokens(left, right)
        if isinstance(left, list | dict) or isinstance(right, list | dict):
            raise _not_comparable()
        one, two = fold(left, comparison), fold(right, comparison)
        if not comparison.startswith("Ordinal"):
            one, two = order_key(one), order_key(two)
        return int(one > two) - int(one < two)

    def key(self, value: Any) -> Any:
        return self.by("InvariantCulture")(value)

    def by(self, comparison: str) -> Any:
        """A key by which Python sorts as this comparison does."""
        return cmp_to_key(lambda left, right: self(left, right, comparison))


compared = _Compared()
