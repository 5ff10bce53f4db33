"""System.Linq.Enumerable on every sequence. Evaluated at once, not lazily: policies cannot tell, but for exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.apim.csharp import decimals
from emulators.apim.csharp.clr import ClrError, Pair, equals, iterate, limited, room_for_items
from emulators.apim.csharp.clr_types import OBJECT, default_value
from emulators.apim.csharp.conversions import converter, instance_test
from emulators.apim.csharp.library import Types, declare
from emulators.apim.csharp.members.comparers import compared, fold
from emulators.apim.csharp.members.containers import Dictionary, HashSet

_EMPTY = "Sequence contains no elements"


def _linq(*signatures: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return declare("IEnumerable<T>", *signatures, extension=True, note="LINQ")


def _matching(items: Any, test: Any) -> list[Any]:
    return [item for item in iterate(items) if test is None or test(item)]


@_linq("bool Any()", "bool Any(Func<T, bool> predicate)")
def _any(items: Any, test: Any = None) -> bool:
    return any(test is None or test(item) for item in iterate(items))


@_linq("bool All(Func<T, bool> predicate)")
def _all(items: Any, test: Any) -> bool:
    return all(test(item) for item in iterate(items))


@_linq("int Count()", "int Count(Func<T, bool> predicate)")
def _count(items: Any, test: Any = None) -> int:
    return len(_matching(items, test))


@_linq("IEnumerable<T> Where(Func<T, bool> predicate)")
def _where(items: Any, test: Any) -> list[Any]:
    return _matching(items, test)


_linq("IEnumerable<R> Select<R>(Func<T, R> selector)")(lambda items, change: [change(item) for item in iterate(items)])
_linq("IEnumerable<R> Select<R>(Func<T, int, R> selector)")(
    lambda items, change: [change(item, index) for index, item in enumerate(iterate(items))]
)
_linq("IEnumerable<T> Where(Func<T, int, bool> predicate)")(
    lambda items, test: [item for index, item in enumerate(iterate(items)) if test(item, index)]
)


@_linq("IEnumerable<R> SelectMany<R>(Func<T, IEnumerable<R>> selector)")
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
    def taken(items: Any, test: Any = None, *, types: Types) -> Any:
        found = _matching(items, test)
        return take(found) if found else default_value(types["T"])

    return taken


for _name, _take in (("First", _first), ("Last", _last), ("Single", _single)):
    _linq(f"T {_name}()", f"T {_name}(Func<T, bool> predicate)")(_take)
    _linq(f"T {_name}OrDefault()", f"T {_name}OrDefault(Func<T, bool> predicate)")(_or_default(_take))


@_linq("T ElementAt(int index)")
def _element_at(items: Any, index: int) -> Any:
    found = list(iterate(items))
    if not 0 <= index < len(found):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return found[index]


@_linq("T ElementAtOrDefault(int index)")
def _element_at_or_default(items: Any, index: int, *, types: Types) -> Any:
    found = list(iterate(items))
    return found[index] if 0 <= index < len(found) else default_value(types["T"])


@_linq("bool Contains(T value)", "bool Contains(T value, StringComparer comparer)")
def _contains(items: Any, value: Any, comparer: Any = None) -> bool:
    if comparer is None and isinstance(items, list) and isinstance(value, str):
        return value in items
    wanted = fold(value, comparer)
    return any(equals(fold(item, comparer), wanted) for item in iterate(items))


_linq("T[] ToArray()")(lambda items: list(iterate(items)))
_linq("List<T> ToList()")(lambda items: list(iterate(items)))
_linq("HashSet<T> ToHashSet()", "HashSet<T> ToHashSet(StringComparer comparer)")(
    lambda items, comparer=None: HashSet(iterate(items), comparer)
)
_linq("IEnumerable<T> AsEnumerable()")(lambda items: list(iterate(items)))
_linq("IEnumerable<T> Reverse()")(lambda items: list(reversed(list(iterate(items)))))
_linq("IEnumerable<T> Skip(int count)")(lambda items, count: list(iterate(items))[max(count, 0) :])
_linq("IEnumerable<T> Take(int count)")(lambda items, count: list(iterate(items))[: max(count, 0)])
_linq("IEnumerable<T> Concat(IEnumerable<T> second)")(lambda items, more: limited([*iterate(items), *iterate(more)]))
_linq(
    "IEnumerable<T> Union(IEnumerable<T> second)",
    "IEnumerable<T> Union(IEnumerable<T> second, StringComparer comparer)",
)(lambda items, more, comparer=None: _unique([*iterate(items), *iterate(more)], comparer))
_linq("IEnumerable<T> Append(T element)")(lambda items, more: [*iterate(items), more])
_linq("IEnumerable<T> Prepend(T element)")(lambda items, more: [more, *iterate(items)])


def _unique(items: Any, comparer: Any = None) -> list[Any]:
    seen: dict[Any, Any] = {}
    for item in iterate(items):
        seen.setdefault(fold(item, comparer), item)
    return list(seen.values())


_linq("IEnumerable<T> Distinct()", "IEnumerable<T> Distinct(StringComparer comparer)")(_unique)


@_linq("IEnumerable<T> Intersect(IEnumerable<T> second)")
@_linq("IEnumerable<T> Intersect(IEnumerable<T> second, StringComparer comparer)")
def _intersect(items: Any, others: Any, comparer: Any = None) -> list[Any]:
    kept = {fold(other, comparer) for other in iterate(others)}
    return _unique([item for item in iterate(items) if fold(item, comparer) in kept], comparer)


@_linq("IEnumerable<T> Except(IEnumerable<T> second)")
@_linq("IEnumerable<T> Except(IEnumerable<T> second, StringComparer comparer)")
def _except(items: Any, others: Any, comparer: Any = None) -> list[Any]:
    dropped = {fold(other, comparer) for other in iterate(others)}
    return _unique([item for item in iterate(items) if fold(item, comparer) not in dropped], comparer)


@_linq("IEnumerable<T> SkipWhile(Func<T, bool> predicate)")
def _skip_while(items: Any, test: Any) -> list[Any]:
    found = list(iterate(items))
    start = next((index for index, item in enumerate(found) if not test(item)), len(found))
    return found[start:]


@_linq("IEnumerable<T> TakeWhile(Func<T, bool> predicate)")
def _take_while(items: Any, test: Any) -> list[Any]:
    found = list(iterate(items))
    end = next((index for index, item in enumerate(found) if not test(item)), len(found))
    return found[:end]


@_linq("bool SequenceEqual(IEnumerable<T> second)")
def _sequence_equal(items: Any, others: Any) -> bool:
    one, two = list(iterate(items)), list(iterate(others))
    return len(one) == len(two) and all(equals(left, right) for left, right in zip(one, two, strict=True))


class Ordered(list[Any]):
    """What OrderBy yields, with what ThenBy goes on from: keys, each with its comparison and whether it descends."""

    def __init__(self, items: Any, keys: list[tuple[Any, str, bool]]) -> None:
        super().__init__(items)
        self.keys = keys
        for pick, comparison, descending in reversed(keys):
            order = compared.by(comparison)
            self.sort(key=lambda item, pick=pick, order=order: order(pick(item)), reverse=descending)  # type: ignore[misc]


_CULTURE = "InvariantCulture"
for _suffix, _descending in (("", False), ("Descending", True)):
    _linq(
        f"IOrderedEnumerable<T> OrderBy{_suffix}<K>(Func<T, K> keySelector)",
        f"IOrderedEnumerable<T> OrderBy{_suffix}<K>(Func<T, K> keySelector, StringComparer comparer)",
    )(lambda items, key, comparer=_CULTURE, down=_descending: Ordered(iterate(items), [(key, comparer, down)]))
    declare(
        "IOrderedEnumerable<T>",
        f"IOrderedEnumerable<T> ThenBy{_suffix}<K>(Func<T, K> keySelector)",
        f"IOrderedEnumerable<T> ThenBy{_suffix}<K>(Func<T, K> keySelector, StringComparer comparer)",
    )(lambda items, key, comparer=_CULTURE, down=_descending: Ordered(items, [*items.keys, (key, comparer, down)]))


@_linq("T Aggregate(Func<T, T, T> func)")
def _reduce(items: Any, step: Any) -> Any:
    found = list(iterate(items))
    return _aggregate(found[1:], _first(found), step)


@_linq("A Aggregate<A>(A seed, Func<A, T, A> func)")
def _aggregate(items: Any, first: Any, step: Any) -> Any:
    for item in iterate(items):
        first = limited(step(first, item))
    return first


_linq("IEnumerable<R> Zip<S, R>(IEnumerable<S> second, Func<T, S, R> resultSelector)")(
    lambda items, others, join: [
        join(left, right) for left, right in zip(iterate(items), iterate(others), strict=False)
    ]
)


class Grouping(list[Any]):
    """IGrouping: a key and its elements."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.key = key


@_linq("IEnumerable<IGrouping<K, T>> GroupBy<K>(Func<T, K> keySelector)")
def _group_by(items: Any, key: Any) -> list[Grouping]:
    groups: dict[Any, Grouping] = {}
    for item in iterate(items):
        name = key(item)
        groups.setdefault(name, Grouping(name)).append(item)
    return list(groups.values())


declare("IGrouping<K, T>", "K Key")(lambda group: group.key)
_linq("IEnumerable<IGrouping<K, E>> GroupBy<K, E>(Func<T, K> keySelector, Func<T, E> elementSelector)")(
    lambda items, key, pick: _picked(_group_by(items, key), pick)
)


def _picked(groups: list[Grouping], pick: Any) -> list[Grouping]:
    for group in groups:
        group[:] = [pick(item) for item in group]
    return groups


@_linq("IEnumerable<R> OfType<R>()")
def _of_type(items: Any, *, types: Types) -> list[Any]:
    test = instance_test(types["R"])
    return [item for item in iterate(items) if test(item)]


@_linq("IEnumerable<R> Cast<R>()")
def _cast(items: Any, *, types: Types) -> list[Any]:
    convert = converter(OBJECT, types["R"])
    return [convert(item) for item in iterate(items)]


@_linq("IEnumerable<T> DefaultIfEmpty()")
def _default_if_empty(items: Any, *, types: Types) -> list[Any]:
    return list(iterate(items)) or [default_value(types["T"])]


_linq("IEnumerable<T> DefaultIfEmpty(T defaultValue)")(lambda items, instead: list(iterate(items)) or [instead])


def _kept(of: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def found(items: list[Any]) -> Any:
        kept = [item for item in items if item is not None]
        if not kept:
            raise ClrError("InvalidOperationException", _EMPTY)
        return of(kept)

    return found


def _sum(limit: int) -> Callable[[list[Any]], Any]:
    """Sums of whole numbers are checked, unlike other arithmetic (.NET, "Enumerable.Sum")."""

    def found(items: list[Any]) -> Any:
        total = sum(items)
        if limit and not -limit <= total < limit:
            raise ClrError("OverflowException", "Arithmetic operation resulted in an overflow.")
        return total

    return found


def _folding(name: str, kind: str, result: str, of: Callable[[list[Any]], Any]) -> None:
    """Of a sequence of such numbers, and of the numbers that a selector picks."""
    declare("IEnumerable<T>", f"{result} {name}()", extension=True, elements=kind, note="LINQ")(
        lambda items: of(list(iterate(items)))
    )
    _linq(f"{result} {name}(Func<T, {kind}> selector)")(lambda items, pick: of([pick(item) for item in iterate(items)]))


_average = _kept(lambda found: sum(found) / len(found))
for _kind, _limit in {"int": 2**31, "long": 2**63, "double": 0}.items():
    _folding("Sum", _kind, _kind, _sum(_limit))
    _folding("Average", _kind, "double", _average)
_folding("Sum", "decimal", "decimal", decimals.total)
_folding("Average", "decimal", "decimal", _kept(decimals.average))
for _name, _pick in (
    ("Max", _kept(lambda found: max(found, key=compared.key))),
    ("Min", _kept(lambda found: min(found, key=compared.key))),
):
    _linq(f"T {_name}()")(lambda items, pick=_pick: pick(list(iterate(items))))
    _linq(f"R {_name}<R>(Func<T, R> selector)")(
        lambda items, of, pick=_pick: pick([of(item) for item in iterate(items)])
    )


@_linq("Dictionary<K, T> ToDictionary<K>(Func<T, K> keySelector)")
@_linq("Dictionary<K, E> ToDictionary<K, E>(Func<T, K> keySelector, Func<T, E> elementSelector)")
def _to_dictionary(items: Any, key: Any, value: Any = None, comparer: Any = None) -> dict[Any, Any]:
    found: dict[Any, Any] = {} if comparer is None else Dictionary((), comparer)
    for item in iterate(items):
        name = key(item)
        if name in found:
            raise ClrError("ArgumentException", "An item with the same key has already been added.")
        found[name] = value(item) if value else item
    return found


_linq("Dictionary<K, T> ToDictionary<K>(Func<T, K> keySelector, StringComparer comparer)")(
    lambda items, key, comparer: _to_dictionary(items, key, None, comparer)
)
_linq(
    "Dictionary<K, E> ToDictionary<K, E>(Func<T, K> keySelector, Func<T, E> elementSelector, StringComparer comparer)"
)(_to_dictionary)
declare("Enumerable", "static IEnumerable<int> Range(int start, int count)")(
    lambda start, count: list(range(start, start + room_for_items(count)))
)
declare("Enumerable", "static IEnumerable<R> Empty<R>()")(list)
declare("Enumerable", "static IEnumerable<R> Repeat<R>(R element, int count)")(
    lambda value, count: [value] * room_for_items(count)
)

__all__ = ["Pair"]
