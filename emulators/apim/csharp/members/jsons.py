"""Newtonsoft.Json: JToken and its kinds, JsonConvert. Dates stay strings; no Parent, no line information."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

from emulators.apim.csharp.clr import (
    ClrError,
    EvaluationLimit,
    JArray,
    JObject,
    JProperty,
    JToken,
    JValue,
    iterate,
    limited,
    measured,
    to_json,
    unwrap,
    wrap,
)
from emulators.apim.csharp.clr_types import JTOKEN, default_value
from emulators.apim.csharp.conversions import converter, element
from emulators.apim.csharp.json_text import read
from emulators.apim.csharp.library import Out, Types, declare, enum

enum("Formatting", "None", "Indented")
enum(
    "JTokenType", "None", "Object", "Array", "Property", "Integer", "Float", "String", "Boolean", "Null", "Date", "Guid"
)


def parse(text: Any, wanted: type[JToken] = JToken) -> Any:
    """Raises JsonReaderException as Newtonsoft.Json does, also for a document of another kind."""
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    if not text.strip():
        raise ClrError(
            "JsonReaderException", f"Error reading {wanted.__name__} from JsonReader. Path '', line 0, position 0."
        )
    found = wrap(read(text))
    if not isinstance(found, wanted):
        raise ClrError(
            "JsonReaderException",
            f"Error reading {wanted.__name__} from JsonReader. Current JsonReader item is not of that kind.",
        )
    return found


def _from_object(value: Any, wanted: type[JToken] = JToken) -> Any:
    found = wrap(unwrap(value))
    if value is None or not isinstance(found, wanted):
        raise ClrError("ArgumentException", f"Object serialized to another type. {wanted.__name__} instance expected.")
    return found


_CLASSES: dict[str, type[JToken]] = {"JToken": JToken, "JObject": JObject, "JArray": JArray}
for _type, _class in _CLASSES.items():
    declare(_type, f"static {_type} Parse(string json)")(lambda text, wanted=_class: parse(text, wanted))
    declare(_type, f"static {_type} FromObject(object o)")(lambda value, wanted=_class: _from_object(value, wanted))


@declare("JObject", "JObject(params object[] content)")
def _new_object(contents: Any) -> JObject:
    made: dict[str, Any] = {}
    for content in contents:
        for item in content if isinstance(content, list) else [content]:
            _add_property(made, item)
    return JObject(made)


declare("JObject", "JObject()")(lambda: JObject({}))
declare("JObject", "JObject(JObject other)")(lambda other: JObject(_copied(other.raw)))


def _copied(raw: Any) -> Any:
    measured(raw)
    return deepcopy(raw)


def _add_property(made: dict[str, Any], item: Any) -> None:
    if isinstance(item, JObject):
        made.update(item.raw)
    elif isinstance(item, JProperty):
        if item.name in made:
            raise ClrError("ArgumentException", f"Can not add property {item.name} to JObject: it already exists.")
        made[item.name] = item.raw
    elif item is not None:
        raise ClrError("ArgumentException", "Can not add this to JObject: only properties can be added.")


def _contents(content: Any) -> list[Any]:
    """A sequence gives its elements, anything else itself."""
    if isinstance(content, list) and not isinstance(content, bytes):
        return [unwrap(item) for item in content]
    return [unwrap(content)]


declare("JArray", "JArray()")(lambda: JArray([]))
declare("JArray", "JArray(JArray other)")(lambda other: JArray(_copied(other.raw)))
declare("JArray", "JArray(object content)")(lambda content: JArray(_contents(content)))
declare("JArray", "JArray(params object[] content)")(lambda contents: JArray([unwrap(item) for item in contents]))
declare("JProperty", "JProperty(string name, object content)")(lambda name, content: JProperty(name, unwrap(content)))
declare("JProperty", "JProperty(string name, params object[] content)")(
    lambda name, contents: JProperty(name, [unwrap(item) for item in contents])
)
declare("JValue", "JValue(object value)")(lambda value: JValue(unwrap(value)))
declare("JValue", "static JValue CreateNull()")(lambda: JValue(None))
declare("JValue", "static JValue CreateString(string value)")(JValue)


def _child(token: JToken, key: Any) -> JToken | None:
    """`token[key]`: a missing property is null; a property of a scalar is an error."""
    raw = token.raw
    if isinstance(raw, dict) and isinstance(key, str):
        return wrap(raw[key]) if key in raw else None
    if isinstance(raw, list) and isinstance(key, int):
        if not 0 <= key < len(raw):
            raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
        return wrap(raw[key])
    kind = type(token).__name__
    error = "InvalidOperationException" if isinstance(token, JValue) else "ArgumentException"
    raise ClrError(error, f"Cannot access child value on Newtonsoft.Json.Linq.{kind} with this key.")


def _put(token: JToken, key: Any, value: Any) -> None:
    if isinstance(token.raw, list):
        _child(token, key)
    elif not isinstance(token.raw, dict):
        raise ClrError("InvalidOperationException", "Cannot set child value on this token.")
    token.raw[key] = unwrap(value)


declare("JToken", "JToken this[object key]", write=_put)(_child)
declare("JObject", "JToken this[string propertyName]", write=_put)(_child)
declare("JArray", "JToken this[int index]", write=_put)(_child)

_KINDS: dict[type, str] = {
    dict: "Object",
    list: "Array",
    bool: "Boolean",
    int: "Integer",
    float: "Float",
    Decimal: "Float",
    str: "String",
}
declare("JToken", "JTokenType Type")(lambda token: "Property" if isinstance(token, JProperty) else _kind(token.raw))
declare("JToken", "bool HasValues")(lambda token: isinstance(token.raw, dict | list) and bool(token.raw))
declare("JContainer", "int Count")(lambda token: len(token.raw) if isinstance(token.raw, dict | list) else 1)
declare("JToken", "JToken First")(lambda token: next(iter(_children(token)), None))
declare("JToken", "JToken Last")(lambda token: next(iter(_children(token)[-1:]), None))
declare("JValue", "object Value")(lambda token: token.raw)
declare("JProperty", "string Name")(lambda token: token.name)
declare("JProperty", "JToken Value")(lambda token: wrap(token.raw))


def _kind(raw: Any) -> str:
    return "Null" if raw is None else _KINDS[type(raw)]


@declare("JToken", "IEnumerable<JToken> Children()")
def _children(token: JToken) -> list[JToken]:
    if isinstance(token.raw, dict):
        return list(_properties(token))
    return [wrap(item) for item in token.raw] if isinstance(token.raw, list) else []


@declare("JObject", "IEnumerable<JProperty> Properties()")
def _properties(token: JToken) -> list[Any]:
    return [JProperty(name, value) for name, value in token.raw.items()]


@declare("JObject", "JProperty Property(string name)")
def _property(token: JObject, name: str) -> JProperty | None:
    return JProperty(name, token.raw[name]) if name in token.raw else None


def _ignoring_case(token: JObject, name: str) -> str | None:
    if name in token.raw:
        return name
    return next((key for key in token.raw if key.lower() == name.lower()), None)


_COMPARISON = "StringComparison comparison"


@declare("JObject", "JToken GetValue(string propertyName)", f"JToken GetValue(string propertyName, {_COMPARISON})")
def _get_value(token: JObject, name: str, comparison: str = "Ordinal") -> JToken | None:
    key = _ignoring_case(token, name) if comparison.endswith("IgnoreCase") else name
    return wrap(token.raw[key]) if key in token.raw else None


@declare("JObject", "bool TryGetValue(string propertyName, out JToken value)")
def _try_get_value(token: JObject, name: str, result: Out) -> bool:
    found = name in token.raw
    result(wrap(token.raw[name]) if found else None)
    return found


@declare("JObject", f"bool TryGetValue(string propertyName, {_COMPARISON}, out JToken value)")
def _try_get_alike(token: JObject, name: str, comparison: str, result: Out) -> bool:
    found = _get_value(token, name, comparison)
    result(found)
    return found is not None


declare("JObject", "bool ContainsKey(string propertyName)")(lambda token, name: name in token.raw)
declare("JObject", "void Add(object content)")(lambda token, content: _add_property(token.raw, content))
declare("JObject", "void Add(string propertyName, JToken value)")(
    lambda token, name, value: _add_property(token.raw, JProperty(name, unwrap(value)))
)
declare("JObject", "bool Remove(string propertyName)")(lambda token, name: token.raw.pop(name, token) is not token)
declare("JObject", "void RemoveAll()")(lambda token: token.raw.clear())
declare("JArray", "void Add(JToken item)")(lambda token, value: limited(_appended(token.raw, [unwrap(value)])))
declare("JArray", "void Add(object content)")(lambda token, content: limited(_appended(token.raw, _contents(content))))
declare("JArray", "void Clear()")(lambda token: token.raw.clear())
declare("JArray", "void RemoveAt(int index)")(lambda token, index: _removed(token, index))


def _removed(token: JToken, index: int) -> None:
    _child(token, index)
    token.raw.pop(index)


def _appended(items: list[Any], more: list[Any]) -> list[Any]:
    items.extend(more)
    return items


@declare("JObject", "void Merge(object content)", note="objects only; arrays are replaced")
def _merge(token: JObject, other: Any) -> None:
    """What is no object changes nothing (JObject.MergeItem)."""
    for name, value in other.raw.items() if isinstance(other, JObject) else ():
        old = token.raw.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(JObject(old), JObject(value))
        else:
            token.raw[name] = value


for _type in ("JToken", "JObject", "JArray"):
    declare("JToken" if _type == "JToken" else _type, "JToken DeepClone()")(lambda token: wrap(_copied(token.raw)))
declare("JToken", "static bool DeepEquals(JToken t1, JToken t2)")(lambda left, right: unwrap(left) == unwrap(right))


@declare("JToken", "JToken SelectToken(string path)", note="dotted and bracketed paths; no filters or wildcards")
def _select(token: JToken, path: str) -> JToken | None:
    if any(sign in path for sign in "*?@(") or ".." in path:
        raise EvaluationLimit("the local gateway's SelectToken knows no filters or wildcards")
    found: Any = token.raw
    for part in path.lstrip("$").replace("['", ".").replace("']", "").replace("[", ".").replace("]", "").split("."):
        if not part:
            continue
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return wrap(found)


@declare(
    "JToken", "IEnumerable<JToken> SelectTokens(string path)", note="dotted and bracketed paths with `*`; no filters"
)
def _select_all(token: JToken, path: str) -> list[JToken]:
    found = [token]
    for index, part in enumerate(path.replace("[*]", ".*").split(".*")):
        if index:
            found = [child for one in found for child in _inside(one)]
        if part.strip(".$"):
            found = [chosen for one in found if (chosen := _select(one, part)) is not None]
    return found


def _inside(token: JToken) -> list[JToken]:
    raw = token.raw
    return [wrap(item) for item in (raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else [])]


@declare("JToken", "IEnumerable<V> Values<V>()")
def _values(token: JToken, *, types: Types) -> list[Any]:
    """`array.Values<string>()`: each element, converted."""
    return [element(item.raw, types["V"]) for item in _inside(token)]


declare("JToken", "IEnumerable<JToken> Values()")(_inside)
for _type in ("JToken", "JValue", "JObject", "JArray", "JProperty"):
    declare("IEnumerable<T>", "IEnumerable<V> Values<V>()", extension=True, elements=_type, note="LINQ")(
        lambda items, types: [converter(JTOKEN, types["V"])(item) for item in iterate(items)]
    )


@declare("JToken", "V Value<V>(object key)")
def _value(token: JToken, key: Any, *, types: Types) -> Any:
    """`token.Value<T>("name")`: what is not there is T's default."""
    child = _child(token, key)
    return default_value(types["V"]) if child is None else converter(JTOKEN, types["V"])(child)


declare("JToken", "V Value<V>()")(lambda token, types: converter(JTOKEN, types["V"])(token))
declare("JToken", "V ToObject<V>()", note="to JSON types, scalars, lists and dictionaries")(
    lambda token, types: converter(JTOKEN, types["V"])(token)
)


@declare("JsonConvert", "static string SerializeObject(object value)")
@declare("JsonConvert", "static string SerializeObject(object value, Formatting formatting)")
def _serialize(value: Any, layout: str = "None") -> str:
    return to_json(unwrap(value), indented=layout == "Indented")


declare("JsonConvert", "static object DeserializeObject(string value)")(parse)
declare(
    "JsonConvert", "static V DeserializeObject<V>(string value)", note="to JSON types, scalars, lists and dictionaries"
)(lambda text, types: converter(JTOKEN, types["V"])(parse(text)))


__all__ = ["parse"]
