"""System.Linq.Enumerable on every sequence. Evaluated at once, not lazily: policies cannot tell, but for exceptions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from emulators.apim.csharp.clr import ClrError, Pair, equals, iterate, limited, room_for_items
from emulators.apim.csharp.clr_types import (
    BOOL,
    CHAR,
    DOUBLE,
    INT,
    LONG,
    OBJECT,
    T,
    array,
    element_of,
    enumerable,
    is_reference,
)
from emulators.apim.csharp.conversions import instance_test
from emulators.apim.csharp.library import element_type, method, prop, static
from emulators.apim.csharp.members.containers import HashSet
from emulators.apim.csharp.members.text import compared, fold

#: Types whose values LINQ accepts although they are not IEnumerable here.
_OWNERS = ("IEnumerable", "JArray", "JToken", "string", "IDictionary", "IReadOnlyDictionary", "MatchCollection")
_EMPTY = "Sequence contains no elements"


def _same(receiver: T, *_: object) -> T:
    return enumerable(element_type(receiver))


def _result_of(position: int) -> Callable[[T, list[T], list[T]], T]:
    def result(receiver: T, arguments: list[T], generics: list[T]) -> T:
        return arguments[position].args[-1] if len(arguments) > position else element_type(receiver)

    return result


def _mapped(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return enumerable(arguments[0].args[-1])


def _linq(name: str, returns: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(impl: Callable[..., Any]) -> Callable[..., Any]:
        for owner in _OWNERS:
            if owner == "string" and name in ("Contains", "Concat"):
                continue
            method(owner, name, returns, note="LINQ", **options)(impl)
        return impl

    return register


def _matching(items: Any, test: Any) -> list[Any]:
    return [item for item in iterate(items) if test is None or test(item)]


@_linq("Any", BOOL)
def _any(items: Any, test: Any = None) -> bool:
    return any(test is None or test(item) for item in iterate(items))


@_linq("All", BOOL)
def _all(items: Any, test: Any) -> bool:
    return all(test(item) for item in iterate(items))


@_linq("Count", INT)
def _count(items: Any, test: Any = None) -> int:
    return len(_matching(items, test))


@_linq("Where", _same)
def _where(items: Any, test: Any) -> list[Any]:
    return _matching(items, test)


def _wants_index(function: Any) -> bool:
    return getattr(function, "__name__", "") == "several"


@_linq("Select", _mapped)
def _select(items: Any, change: Any) -> list[Any]:
    if _wants_index(change):
        return [change(item, index) for index, item in enumerate(iterate(items))]
    return [change(item) for item in iterate(items)]


@_linq("SelectMany", lambda receiver, arguments, generics: enumerable(element_of(arguments[0].args[-1]) or OBJECT))
def _select_many(items: Any, change: Any) -> list[Any]:
    found: list[Any] = []
    for item in iterate(items):
        found.extend(iterate(change(item)))
        limited(found)
    return found


def _first(items: Any, test: Any = None) -> Any:
    for item in iterate(items):
        if test is None or test(item):
            return item
    raise ClrError("InvalidOperationException", _EMPTY)


def _last(items: Any, test: Any = None) -> Any:
    found = _matching(items, test)
    if not found:
        raise ClrError("InvalidOperationException", _EMPTY)
    return found[-1]


def _single(items: Any, test: Any = None) -> Any:
    found = _matching(items, test)
    if len(found) != 1:
        raise ClrError("InvalidOperationException", _EMPTY if not found else "Sequence contains more than one element")
    return found[0]


def _or_default(take: Callable[..., Any]) -> Callable[..., Any]:
    def taken(items: Any, test: Any = None, *, default: Any) -> Any:
        found = _matching(items, test)
        return take(found) if found else default

    return taken


_linq("First", element_type)(_first)
_linq("Last", element_type)(_last)
_linq("Single", element_type)(_single)


for _name, _take in (("FirstOrDefault", _first), ("LastOrDefault", _last), ("SingleOrDefault", _single)):
    _linq(_name, element_type)(_or_default(_take))


@_linq("ElementAt", element_type)
def _element_at(items: Any, index: int) -> Any:
    found = list(iterate(items))
    if not 0 <= index < len(found):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return found[index]


@_linq("ElementAtOrDefault", element_type)
def _element_at_or_default(items: Any, index: int, *, default: Any) -> Any:
    found = list(iterate(items))
    return found[index] if 0 <= index < len(found) else default


@_linq("Contains", BOOL)
def _contains(items: Any, value: Any, comparer: Any = None) -> bool:
    if comparer is None and isinstance(items, list) and isinstance(value, str):
        return value in items
    wanted = fold(value, comparer)
    return any(equals(fold(item, comparer), wanted) for item in iterate(items))


_linq("ToArray", lambda receiver, *_: array(element_type(receiver)))(lambda items: list(iterate(items)))
_linq("ToList", lambda receiver, *_: T("List", (element_type(receiver),)))(lambda items: list(iterate(items)))
_linq("ToHashSet", lambda receiver, *_: T("HashSet", (element_type(receiver),)))(
    lambda items: HashSet(dict.fromkeys(iterate(items)))
)
_linq("AsEnumerable", _same)(lambda items: list(iterate(items)))
_linq("Reverse", _same)(lambda items: list(reversed(list(iterate(items)))))
_linq("Skip", _same)(lambda items, count: list(iterate(items))[max(count, 0) :])
_linq("Take", _same)(lambda items, count: list(iterate(items))[: max(count, 0)])
_linq("Concat", _same)(lambda items, more: limited([*iterate(items), *iterate(more)]))
_linq("Union", _same)(lambda items, more: _unique([*iterate(items), *iterate(more)]))
_linq("Append", _same)(lambda items, more: [*iterate(items), more])
_linq("Prepend", _same)(lambda items, more: [more, *iterate(items)])


def _unique(items: Any, comparer: Any = None) -> list[Any]:
    seen: dict[Any, Any] = {}
    for item in iterate(items):
        seen.setdefault(fold(item, comparer), item)
    return list(seen.values())


_linq("Distinct", _same)(_unique)


@_linq("Intersect", _same)
def _intersect(items: Any, others: Any, comparer: Any = None) -> list[Any]:
    kept = {fold(other, comparer) for other in iterate(others)}
    return _unique([item for item in iterate(items) if fold(item, comparer) in kept], comparer)


@_linq("Except", _same)
def _except(items: Any, others: Any, comparer: Any = None) -> list[Any]:
    dropped = {fold(other, comparer) for other in iterate(others)}
    return _unique([item for item in iterate(items) if fold(item, comparer) not in dropped], comparer)


@_linq("SkipWhile", _same)
def _skip_while(items: Any, test: Any) -> list[Any]:
    found = list(iterate(items))
    start = next((index for index, item in enumerate(found) if not test(item)), len(found))
    return found[start:]


@_linq("TakeWhile", _same)
def _take_while(items: Any, test: Any) -> list[Any]:
    found = list(iterate(items))
    end = next((index for index, item in enumerate(found) if not test(item)), len(found))
    return found[:end]


@_linq("SequenceEqual", BOOL)
def _sequence_equal(items: Any, others: Any) -> bool:
    one, two = list(iterate(items)), list(iterate(others))
    return len(one) == len(two) and all(equals(left, right) for left, right in zip(one, two, strict=True))


class Ordered(list[Any]):
    """What OrderBy yields, with the keys by which ThenBy goes on: each a function and whether it descends."""

    def __init__(self, items: Any, keys: list[tuple[Any, bool]]) -> None:
        super().__init__(items)
        self.keys = keys
        for key, descending in reversed(keys):
            self.sort(key=lambda item, key=key: cmp_to_key(compared)(key(item)), reverse=descending)  # type: ignore[misc]


def _ordered(receiver: T, *_: object) -> T:
    return T("IOrderedEnumerable", (element_type(receiver),))


def _ordering(*, descending: bool) -> None:
    suffix = "Descending" if descending else ""
    _linq(f"OrderBy{suffix}", _ordered)(lambda items, key: Ordered(iterate(items), [(key, descending)]))
    method("IOrderedEnumerable", f"ThenBy{suffix}", _ordered)(
        lambda items, key: Ordered(items, [*items.keys, (key, descending)])
    )


_ordering(descending=False)
_ordering(descending=True)


def _folded(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return arguments[0] if len(arguments) > 1 else element_type(receiver)


def _folding(receiver: T, count: int, types: list[T]) -> list[T]:
    return [types[0] if types else element_type(receiver), element_type(receiver)]


@_linq("Aggregate", _folded, lambdas=_folding)
def _aggregate(items: Any, first: Any, step: Any = None) -> Any:
    """`Aggregate(step)` and `Aggregate(seed, step)`."""
    found = list(iterate(items))
    if step is None:
        found, step, first = found[1:], first, _first(found)
    for item in found:
        first = limited(step(first, item))
    return first


@_linq(
    "Zip",
    lambda receiver, arguments, generics: enumerable(arguments[1].args[-1]),
    lambdas=lambda receiver, count, types: [element_type(receiver), element_of(types[0]) or OBJECT],
)
def _zip(items: Any, others: Any, join: Any) -> list[Any]:
    return [join(left, right) for left, right in zip(iterate(items), iterate(others), strict=False)]


class Grouping(list[Any]):
    """IGrouping: a key and its elements."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.key = key


@_linq("GroupBy", lambda receiver, arguments, generics: _groups(receiver, arguments, generics))
def _group_by(items: Any, key: Any) -> list[Grouping]:
    groups: dict[Any, Grouping] = {}
    for item in iterate(items):
        name = key(item)
        groups.setdefault(name, Grouping(name)).append(item)
    return list(groups.values())


prop("IGrouping", "Key", lambda receiver, *_: receiver.args[0], lambda group: group.key)


@_linq("OfType", lambda receiver, arguments, generics: _cast(receiver, arguments, generics))
def _of_type(items: Any, *, generics: list[T]) -> list[Any]:
    test = instance_test(generics[0])
    return [item for item in iterate(items) if test(item)]


@_linq("DefaultIfEmpty", _same)
def _default_if_empty(items: Any, instead: Any = None, *, default: Any) -> list[Any]:
    return list(iterate(items)) or [default if instead is None else instead]


def _numbers(items: Any, pick: Any) -> list[Any]:
    return [pick(item) if pick else item for item in iterate(items)]


def _of_number(receiver: T, arguments: list[T], generics: list[T]) -> T:
    found = _result_of(0)(receiver, arguments, generics)
    return LONG if found == CHAR else found


_linq("Sum", _of_number)(lambda items, pick=None: sum(_numbers(items, pick)))
_linq("Max", _of_number)(lambda items, pick=None: _extreme(max, _numbers(items, pick)))
_linq("Min", _of_number)(lambda items, pick=None: _extreme(min, _numbers(items, pick)))
_linq("Average", DOUBLE)(
    lambda items, pick=None: _extreme(lambda found: sum(found) / len(found), _numbers(items, pick))
)


def _extreme(pick: Callable[[list[Any]], Any], found: list[Any]) -> Any:
    if not found:
        raise ClrError("InvalidOperationException", _EMPTY)
    return pick(found)


def _dictionary(receiver: T, arguments: list[T], generics: list[T]) -> T:
    value = arguments[1].args[-1] if len(arguments) > 1 and arguments[1].name == "Func" else element_type(receiver)
    return T("Dictionary", (arguments[0].args[-1], value))


@_linq("ToDictionary", _dictionary)
def _to_dictionary(items: Any, key: Any, value: Any = None) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for item in iterate(items):
        name = key(item)
        if name in found:
            raise ClrError("ArgumentException", "An item with the same key has already been added.")
        found[name] = value(item) if value else item
    return found


def _groups(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return enumerable(T("IGrouping", (arguments[0].args[-1], element_type(receiver))))


def _cast(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return enumerable(generics[0] if generics else OBJECT)


_linq("Cast", _cast)(lambda items: list(iterate(items)))
static("Enumerable", "Range", enumerable(INT))(lambda start, count: list(range(start, start + room_for_items(count))))
static("Enumerable", "Empty", _cast)(lambda: [])
static("Enumerable", "Repeat", lambda receiver, arguments, generics: enumerable(arguments[0]))(
    lambda value, count: [value] * room_for_items(count)
)

__all__ = ["Pair", "is_reference"]
