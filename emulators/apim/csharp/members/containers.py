"""Lists, arrays, dictionaries, sets, KeyValuePair. Tuples are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emulators.apim.csharp.clr import ClrError, Pair, equals, iterate, key_not_found, limited, to_text
from emulators.apim.csharp.clr_types import BOOL, INT, OBJECT, T, dictionary_of, enumerable
from emulators.apim.csharp.library import Out, constructor, declare_type, element_type, indexer, method, prop, static

declare_type("IEnumerable", "ICollection", "IReadOnlyCollection", "IReadOnlyList", "Func", "Predicate", "KeyValuePair")


def _key(receiver: T, *_: object) -> T:
    return receiver.args[0] if receiver.args else (dictionary_of(receiver) or (OBJECT, OBJECT))[0]


def value_type(receiver: T, *_: object) -> T:
    return receiver.args[1] if len(receiver.args) == 2 else (dictionary_of(receiver) or (OBJECT, OBJECT))[1]


def _at(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return items[index]


def _put(items: list[Any], index: int, value: Any) -> None:
    _at(items, index)
    items[index] = value


for _owner in ("IList", "IReadOnlyList"):
    indexer(_owner, element_type, INT, write=_put)(_at)
for _owner in ("Array", "ICollection", "IReadOnlyCollection"):
    prop(_owner, "Length" if _owner == "Array" else "Count", INT, len)
constructor("List", lambda receiver, *_: receiver)(lambda items=None: list(iterate(items)) if items is not None else [])
method("ICollection", "Add", T("void"))(lambda items, value: _add(items, value))
method("List", "AddRange", T("void"))(lambda items, more: _extend(items, more))
method("ICollection", "Clear", T("void"))(lambda items: items.clear())
method("IList", "IndexOf", INT)(lambda items, value: items.index(value) if value in items else -1)
method("IList", "Insert", T("void"))(lambda items, index, value: _put_at(items, index, value))
method("ICollection", "Remove", BOOL)(lambda items, value: _discard(items, value))
method("List", "Sort", T("void"), note="texts by their codes")(lambda items: items.sort())
method("IList", "RemoveAt", T("void"))(lambda items, index: (_at(items, index), items.pop(index)))
method("List", "RemoveAll", INT)(lambda items, test: _remove_all(items, test))
method("List", "Exists", BOOL)(lambda items, test: any(test(item) for item in items))
method("List", "FindAll", lambda receiver, *_: receiver)(lambda items, test: [item for item in items if test(item)])
method("List", "ForEach", T("void"))(lambda items, do: [do(item) for item in list(items)])


@method("List", "Find", element_type)
def _find(items: list[Any], test: Any, *, default: Any) -> Any:
    return next((item for item in items if test(item)), default)


def _remove_all(items: list[Any], test: Any) -> int:
    kept = [item for item in items if not test(item)]
    removed, items[:] = len(items) - len(kept), kept
    return removed


def _put_at(items: list[Any], index: int, value: Any) -> None:
    items.insert(index, value)
    limited(items)


def _next(items: list[Any], *, take: bool) -> Any:
    if not items:
        raise ClrError("InvalidOperationException", "The collection is empty.")
    return items.pop(0) if take else items[0]


for _owner, _take_name in (("Queue", "Dequeue"), ("Stack", "Pop")):
    constructor(_owner, lambda receiver, *_: receiver)(list)
    method(_owner, _take_name, element_type)(lambda items: _next(items, take=True))
    method(_owner, "Peek", element_type)(lambda items: _next(items, take=False))
    method(_owner, "Clear", T("void"))(lambda items: items.clear())
method("Queue", "Enqueue", T("void"))(lambda items, value: _put_at(items, len(items), value))
method("Stack", "Push", T("void"))(lambda items, value: _put_at(items, 0, value))
method("List", "ToArray", lambda receiver, *_: T("Array", receiver.args))(list)
static("Array", "IndexOf", INT)(lambda items, value: items.index(value) if value in items else -1)
static("Array", "Reverse", T("void"))(lambda items: items.reverse())


def _add(items: Any, value: Any) -> bool:
    """List.Add and HashSet.Add; a set is an insertion-ordered list without repeats."""
    if isinstance(items, HashSet) and value in items:
        return False
    items.append(value)
    limited(items)
    return True


def _extend(items: Any, more: Any) -> None:
    items.extend(iterate(more))
    limited(items)


def _discard(items: Any, value: Any) -> bool:
    if value not in items:
        return False
    items.remove(value)
    return True


class HashSet(list[Any]):
    """System.Collections.Generic.HashSet: ordered here, unordered by contract."""

    def extend(self, items: Iterable[Any]) -> None:
        for item in items:
            _add(self, item)


constructor("HashSet", lambda receiver, *_: receiver)(
    lambda items=None: HashSet(dict.fromkeys(iterate(items)) if items is not None else [])
)
method("HashSet", "Add", BOOL)(_add)


def _lookup(entries: Any, key: Any) -> Any:
    if key is None:
        raise ClrError("ArgumentNullException", "Value cannot be null. Parameter name: key")
    try:
        return entries[key]
    except KeyError:
        raise key_not_found() from None


def _store(entries: Any, key: Any, value: Any) -> None:
    entries[key] = value


def _insert(entries: Any, key: Any, value: Any) -> None:
    if key in entries:
        raise ClrError("ArgumentException", "An item with the same key has already been added.")
    entries[key] = value


for _owner in ("IDictionary", "IReadOnlyDictionary"):
    method(_owner, "ContainsKey", BOOL)(lambda entries, key: key in entries)
    prop(_owner, "Count", INT, len)
    prop(_owner, "Keys", lambda receiver, *_: enumerable(_key(receiver)), lambda entries: list(entries))
    prop(
        _owner, "Values", lambda receiver, *_: enumerable(value_type(receiver)), lambda entries: list(entries.values())
    )
indexer("IDictionary", value_type, OBJECT, write=_store)(_lookup)
indexer("IReadOnlyDictionary", value_type, OBJECT)(_lookup)
constructor("Dictionary", lambda receiver, *_: receiver)(lambda entries=None: dict(entries) if entries else {})
method("IDictionary", "Add", T("void"))(_insert)
method("IDictionary", "Clear", T("void"))(lambda entries: entries.clear())
method("IDictionary", "Remove", BOOL)(lambda entries, key: entries.pop(key, entries) is not entries)


def _try_get(entries: Any, key: Any, result: Out, *, default: Any) -> bool:
    found = key in entries
    result(entries[key] if found else default)
    return found


for _owner in ("IDictionary", "IReadOnlyDictionary"):
    method(_owner, "TryGetValue", BOOL, out=value_type)(_try_get)

prop("KeyValuePair", "Key", _key, lambda entry: entry.key)
prop("KeyValuePair", "Value", value_type, lambda entry: entry.value)
constructor("KeyValuePair", lambda receiver, *_: receiver)(lambda key, value: Pair(key, value))


def _inner(receiver: T, *_: object) -> T:
    return receiver.args[0]


def _held(value: Any) -> Any:
    if value is None:
        raise ClrError("InvalidOperationException", "Nullable object must have a value.")
    return value


# Every member of Nullable<T> but GetType takes a null receiver (.NET, "Nullable<T> Struct").
prop("Nullable", "HasValue", BOOL, lambda value: value is not None, takes_null=True)
prop("Nullable", "Value", _inner, _held, takes_null=True)
method("Nullable", "ToString", T("string"), takes_null=True)(to_text)
method("Nullable", "Equals", BOOL, takes_null=True)(equals)


@method("Nullable", "GetValueOrDefault", _inner, takes_null=True)
def _value_or_default(value: Any, instead: Any = None, *, default: Any) -> Any:
    if value is not None:
        return value
    return default if instead is None else instead


prop("Exception", "Message", T("string"), lambda error: error.message)
for _exception in ("Exception", "InvalidOperationException", "ArgumentException", "FormatException"):
    constructor(_exception)(lambda message="", name=_exception: ClrError(name, message))
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
