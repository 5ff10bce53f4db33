"""Lists, arrays, dictionaries, sets, queues, stacks, KeyValuePair, Nullable, exceptions. Tuples are refused.

Dictionaries and sets compare their keys as they were told to: `new HashSet<string>(StringComparer.OrdinalIgnoreCase)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from emulators.apim.csharp.clr import (
    ClrError,
    Pair,
    equals,
    iterate,
    key_not_found,
    limited,
    null_argument,
    to_text,
)
from emulators.apim.csharp.clr_types import T, default_value
from emulators.apim.csharp.library import Out, Types, declare, declare_type
from emulators.apim.csharp.members.comparers import compared, fold

declare_type("IEnumerable", "ICollection", "IReadOnlyCollection", "IReadOnlyList", "IList", "Func", "Predicate")


def _at(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return items[index]


def _put(items: list[Any], index: int, value: Any) -> None:
    _at(items, index)
    items[index] = value


def _at_array(items: Any, index: int) -> Any:
    if not 0 <= index < len(items):
        raise ClrError("IndexOutOfRangeException", "Index was outside the bounds of the array.")
    return items[index]


def _put_array(items: list[Any], index: int, value: Any) -> None:
    _at_array(items, index)
    items[index] = value


declare("Array<T>", "T this[int index]", write=_put_array)(_at_array)
declare("IList<T>", "T this[int index]", write=_put)(_at)
declare("IReadOnlyList<T>", "T this[int index]")(_at)
declare("Array<T>", "int Length")(len)
declare("ICollection<T>", "int Count")(len)
declare("IReadOnlyCollection<T>", "int Count")(len)


def _listed(items: Any) -> list[Any]:
    return list(iterate(_given(items, "collection")))


def _given(value: Any, name: str) -> Any:
    if value is None:
        raise null_argument(name)
    return value


declare("List<T>", "List()")(list)
declare("List<T>", "List(int capacity)")(lambda capacity: [])
declare("List<T>", "List(IEnumerable<T> collection)")(_listed)


def _append(items: list[Any], value: Any) -> None:
    items.append(value)
    limited(items)


def _put_at(items: list[Any], index: int, value: Any) -> None:
    if not 0 <= index <= len(items):
        raise ClrError("ArgumentOutOfRangeException", "Index must be within the bounds of the List.")
    items.insert(index, value)
    limited(items)


def _remove_at(items: list[Any], index: int) -> None:
    _at(items, index)
    items.pop(index)


def _index(items: Any, value: Any) -> int:
    return next((position for position, item in enumerate(items) if equals(item, value)), -1)


def _discard(items: list[Any], value: Any) -> bool:
    position = _index(items, value)
    if position >= 0:
        items.pop(position)
    return position >= 0


def _extend(items: list[Any], more: Any) -> None:
    items.extend(_listed(more))
    limited(items)


def _remove_all(items: list[Any], test: Any) -> int:
    kept = [item for item in items if not test(item)]
    removed, items[:] = len(items) - len(kept), kept
    return removed


def _find(items: list[Any], test: Any, *, types: Types) -> Any:
    return next((item for item in items if test(item)), default_value(types["T"]))


def _sort(items: list[Any]) -> None:
    items.sort(key=compared.key)


def _sort_by(items: list[Any], compare: Any) -> None:
    from functools import cmp_to_key

    items.sort(key=cmp_to_key(compare))


declare("ICollection<T>", "void Add(T item)")(_append)
declare("ICollection<T>", "void Clear()")(lambda items: items.clear())
declare("ICollection<T>", "bool Remove(T item)")(_discard)
declare("ICollection<T>", "bool Contains(T item)")(lambda items, value: _index(items, value) >= 0)
declare("IList<T>", "int IndexOf(T item)")(_index)
declare("IList<T>", "void Insert(int index, T item)")(_put_at)
declare("IList<T>", "void RemoveAt(int index)")(_remove_at)
declare("List<T>", "void AddRange(IEnumerable<T> collection)")(_extend)
declare("List<T>", "void Reverse()")(lambda items: items.reverse())
declare("List<T>", "void Sort()", note="texts without a culture's rules")(_sort)
declare("List<T>", "void Sort(Func<T, T, int> comparison)")(_sort_by)
declare("List<T>", "int RemoveAll(Predicate<T> match)")(_remove_all)
declare("List<T>", "bool Exists(Predicate<T> match)")(lambda items, test: any(test(item) for item in items))
declare("List<T>", "bool TrueForAll(Predicate<T> match)")(lambda items, test: all(test(item) for item in items))
declare("List<T>", "List<T> FindAll(Predicate<T> match)")(lambda items, test: [item for item in items if test(item)])
declare("List<T>", "T Find(Predicate<T> match)")(_find)
declare("List<T>", "void ForEach(Action<T> action)")(lambda items, do: [do(item) for item in list(items)] and None)
declare("List<T>", "T[] ToArray()")(list)
declare("Array", "static int IndexOf<T>(T[] array, T value)")(
    lambda items, value: _index(_given(items, "array"), value)
)
declare("Array", "static void Reverse<T>(T[] array)")(lambda items: items.reverse())
declare("Array", "static bool Exists<T>(T[] array, Predicate<T> match)")(
    lambda items, test: any(test(item) for item in items)
)


def _next(items: list[Any], *, take: bool) -> Any:
    if not items:
        raise ClrError("InvalidOperationException", "The collection is empty.")
    return items.pop(0) if take else items[0]


for _owner, _take_name, _put_name, _from in (("Queue", "Dequeue", "Enqueue", None), ("Stack", "Pop", "Push", 0)):
    declare(f"{_owner}<T>", f"{_owner}()")(list)
    declare(f"{_owner}<T>", f"T {_take_name}()")(lambda items: _next(items, take=True))
    declare(f"{_owner}<T>", "T Peek()")(lambda items: _next(items, take=False))
    declare(f"{_owner}<T>", "void Clear()")(lambda items: items.clear())
    declare(f"{_owner}<T>", f"void {_put_name}(T item)")(
        lambda items, value, at=_from: _put_at(items, len(items) if at is None else at, value)
    )
declare("Queue<T>", "Queue(IEnumerable<T> collection)")(_listed)
declare("Stack<T>", "Stack(IEnumerable<T> collection)")(lambda items: list(reversed(_listed(items))))


class HashSet(list[Any]):
    """System.Collections.Generic.HashSet: ordered here, unordered by contract; `comparer` says what is equal."""

    def __init__(self, items: Iterable[Any] = (), comparer: Any = None) -> None:
        super().__init__()
        self.comparer = comparer
        self.seen: dict[Any, Any] = {}
        for item in items:
            self.add(item)

    def add(self, item: Any) -> bool:
        key = fold(item, self.comparer)
        if key in self.seen:
            return False
        self.seen[key] = item
        self.append(item)
        limited(self)
        return True

    def holds(self, item: Any) -> bool:
        return fold(item, self.comparer) in self.seen

    def discard(self, item: Any) -> bool:
        key = fold(item, self.comparer)
        if key not in self.seen:
            return False
        self.seen.pop(key)
        self[:] = list(self.seen.values())
        return True

    def keep(self, items: Iterable[Any]) -> None:
        self.seen = {fold(item, self.comparer): item for item in items}
        self[:] = list(self.seen.values())

    def clear(self) -> None:
        self.keep(())


declare("HashSet<T>", "HashSet()")(HashSet)
declare("HashSet<T>", "HashSet(IEnumerable<T> collection)")(lambda items: HashSet(_listed(items)))
declare("HashSet<T>", "HashSet(StringComparer comparer)")(lambda comparer: HashSet((), comparer))
declare("HashSet<T>", "HashSet(IEnumerable<T> collection, StringComparer comparer)")(
    lambda items, comparer: HashSet(_listed(items), comparer)
)
declare("HashSet<T>", "bool Add(T item)")(HashSet.add)
declare("HashSet<T>", "bool Remove(T item)")(HashSet.discard)
declare("HashSet<T>", "bool Contains(T item)")(HashSet.holds)
declare("HashSet<T>", "void UnionWith(IEnumerable<T> other)")(
    lambda items, more: [items.add(item) for item in _listed(more)] and None
)
declare("HashSet<T>", "void ExceptWith(IEnumerable<T> other)")(
    lambda items, others: [items.discard(item) for item in _listed(others)] and None
)


def _set(items: HashSet, others: Any) -> HashSet:
    return HashSet(_listed(others), items.comparer)


declare("HashSet<T>", "void IntersectWith(IEnumerable<T> other)")(
    lambda items, others: items.keep([item for item in items if _set(items, others).holds(item)])
)
declare("HashSet<T>", "bool Overlaps(IEnumerable<T> other)")(
    lambda items, others: any(items.holds(item) for item in _listed(others))
)
declare("HashSet<T>", "bool IsSupersetOf(IEnumerable<T> other)")(
    lambda items, others: all(items.holds(item) for item in _listed(others))
)
declare("HashSet<T>", "bool IsSubsetOf(IEnumerable<T> other)")(
    lambda items, others: all(_set(items, others).holds(item) for item in items)
)
declare("HashSet<T>", "bool SetEquals(IEnumerable<T> other)")(
    lambda items, others: len(_set(items, others)) == len(items) and all(map(_set(items, others).holds, items))
)


class Dictionary(dict[Any, Any]):
    """System.Collections.Generic.Dictionary with a comparer: keys keep the spelling with which they came first."""

    def __init__(self, entries: Any = (), comparer: Any = None) -> None:
        super().__init__()
        self.comparer = comparer
        self._spelt: dict[Any, Any] = {}
        for key, value in dict(entries).items():
            self[key] = value

    def _key(self, key: Any) -> Any:
        return self._spelt.get(fold(key, self.comparer), key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._key(key))

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        spelt = self._spelt.setdefault(fold(key, self.comparer), key)
        super().__setitem__(spelt, value)

    def pop(self, key: Any, *default: Any) -> Any:
        found = super().pop(self._key(key), *default)
        self._spelt.pop(fold(key, self.comparer), None)
        return found

    def clear(self) -> None:
        super().clear()
        self._spelt.clear()

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__()


def _lookup(entries: Any, key: Any) -> Any:
    try:
        return entries[_given(key, "key")]
    except KeyError:
        raise key_not_found() from None


def _store(entries: Any, key: Any, value: Any) -> None:
    entries[_given(key, "key")] = value


def _insert(entries: Any, key: Any, value: Any) -> None:
    if _given(key, "key") in entries:
        raise ClrError("ArgumentException", "An item with the same key has already been added.")
    entries[key] = value


def _try_get(entries: Any, key: Any, result: Out, *, types: Types) -> bool:
    found = _given(key, "key") in entries
    result(entries[key] if found else default_value(types["V"]))
    return found


for _owner in ("IDictionary<K, V>", "IReadOnlyDictionary<K, V>"):
    declare(_owner, "bool ContainsKey(K key)")(lambda entries, key: _given(key, "key") in entries)
    declare(_owner, "int Count")(len)
    declare(_owner, "ICollection<K> Keys")(list)
    declare(_owner, "ICollection<V> Values")(lambda entries: list(entries.values()))
    declare(_owner, "bool TryGetValue(K key, out V value)")(_try_get)
declare("IDictionary<K, V>", "V this[K key]", write=_store)(_lookup)
declare("IReadOnlyDictionary<K, V>", "V this[K key]")(_lookup)
declare("Dictionary<K, V>", "Dictionary()")(dict)
declare("Dictionary<K, V>", "Dictionary(int capacity)")(lambda capacity: {})
declare("Dictionary<K, V>", "Dictionary(IDictionary<K, V> dictionary)")(
    lambda entries: dict(_given(entries, "dictionary"))
)
declare("Dictionary<K, V>", "Dictionary(StringComparer comparer)")(lambda comparer: Dictionary((), comparer))
declare("Dictionary<K, V>", "Dictionary(IDictionary<K, V> dictionary, StringComparer comparer)")(
    lambda entries, comparer: Dictionary(_given(entries, "dictionary"), comparer)
)
declare("IDictionary<K, V>", "void Add(K key, V value)")(_insert)
declare("IDictionary<K, V>", "void Clear()")(lambda entries: entries.clear())
declare("IDictionary<K, V>", "bool Remove(K key)")(
    lambda entries, key: entries.pop(_given(key, "key"), entries) is not entries
)

declare("KeyValuePair<K, V>", "K Key")(lambda entry: entry.key)
declare("KeyValuePair<K, V>", "V Value")(lambda entry: entry.value)
declare("KeyValuePair<K, V>", "KeyValuePair(K key, V value)")(Pair)


def _held(value: Any) -> Any:
    if value is None:
        raise ClrError("InvalidOperationException", "Nullable object must have a value.")
    return value


def _value_or_default(value: Any, *, types: Types) -> Any:
    return default_value(types["T"]) if value is None else value


# Every member of Nullable<T> but GetType takes a null receiver (.NET, "Nullable<T> Struct").
_NULLABLE = "Nullable<T>"
declare(_NULLABLE, "bool HasValue", takes_null=True)(lambda value: value is not None)
declare(_NULLABLE, "T Value", takes_null=True)(_held)
declare(_NULLABLE, "T GetValueOrDefault()", takes_null=True)(_value_or_default)
declare(_NULLABLE, "T GetValueOrDefault(T defaultValue)", takes_null=True)(
    lambda value, instead: instead if value is None else value
)
declare(_NULLABLE, "string ToString()", takes_null=True)(to_text)
declare(_NULLABLE, "bool Equals(object other)", takes_null=True)(equals)
declare(_NULLABLE, "int GetHashCode()", takes_null=True, note="not .NET's number")(
    lambda value: 0 if value is None else hash(value) & 0x7FFFFFFF
)

declare("Exception", "string Message")(lambda error: error.message)
for _exception in ("Exception", "InvalidOperationException", "ArgumentException", "FormatException"):
    declare(_exception, f"{_exception}()")(
        lambda name=_exception: ClrError(name, f"Exception of type '{name}' was thrown.")
    )
    declare(_exception, f"{_exception}(string message)")(lambda message, name=_exception: ClrError(name, message))
declare_type(
    "KeyNotFoundException",
    "NullReferenceException",
    "InvalidCastException",
    "IndexOutOfRangeException",
    "OverflowException",
    "JsonReaderException",
    "DivideByZeroException",
    "ArgumentNullException",
    "ArgumentOutOfRangeException",
)

__all__ = ["Dictionary", "HashSet", "T"]
