"""Newtonsoft.Json: JToken and its kinds, JsonConvert. Dates stay strings; no Parent, no line information."""

from __future__ import annotations

import json
from typing import Any

from emulators.apim.csharp.clr import (
    ClrError,
    EvaluationLimit,
    JArray,
    JObject,
    JProperty,
    JToken,
    JValue,
    limited,
    measured,
    to_json,
    unwrap,
    wrap,
)
from emulators.apim.csharp.clr_types import (
    BOOL,
    INT,
    JARRAY,
    JOBJECT,
    JPROPERTY,
    JTOKEN,
    OBJECT,
    STRING,
    T,
    enumerable,
)
from emulators.apim.csharp.conversions import converter, element
from emulators.apim.csharp.expressions import default_value
from emulators.apim.csharp.library import Out, constructor, enum, indexer, method, prop, static

enum("Formatting", "None", "Indented")
enum(
    "JTokenType", "None", "Object", "Array", "Property", "Integer", "Float", "String", "Boolean", "Null", "Date", "Guid"
)


def parse(text: Any, wanted: type[JToken] = JToken) -> Any:
    """Raises JsonReaderException as Newtonsoft.Json does, also for a document of another kind."""
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    try:
        found = wrap(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        raise ClrError("JsonReaderException", f"Error reading {wanted.__name__} from JsonReader: {error}") from error
    if not isinstance(found, wanted):
        raise ClrError(
            "JsonReaderException",
            f"Error reading {wanted.__name__} from JsonReader. Current JsonReader item is not of that kind.",
        )
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


for _type, _class in ((JTOKEN, JToken), (JOBJECT, JObject), (JARRAY, JArray)):
    static(_type.name, "Parse", _type)(lambda text, wanted=_class: parse(text, wanted))


@static("JToken", "FromObject", JTOKEN)
def _from_object(value: Any) -> JToken:
    return wrap(unwrap(value))


static("JObject", "FromObject", JOBJECT)(lambda value: wrap(unwrap(value)))
static("JArray", "FromObject", JARRAY)(lambda value: wrap(unwrap(value)))


@constructor("JObject")
def _new_object(*contents: Any) -> JObject:
    made: dict[str, Any] = {}
    for content in contents:
        for item in content if isinstance(content, list) else [content]:
            _add_property(made, item)
    return JObject(made)


def _add_property(made: dict[str, Any], item: Any) -> None:
    if isinstance(item, JObject):
        made.update(item.raw)
    elif isinstance(item, JProperty):
        if item.name in made:
            raise ClrError("ArgumentException", f"Can not add property {item.name} to JObject: it already exists.")
        made[item.name] = item.raw
    elif item is not None:
        raise ClrError("ArgumentException", "Can not add this to JObject: only properties can be added.")


@constructor("JArray")
def _new_array(*contents: Any) -> JArray:
    if len(contents) == 1 and isinstance(contents[0], list | JArray):
        only = contents[0]
        return JArray(list(only.raw) if isinstance(only, JArray) else unwrap(only))
    return JArray([unwrap(content) for content in contents])


@constructor("JProperty")
def _new_property(name: str, *contents: Any) -> JProperty:
    return JProperty(name, unwrap(contents[0]) if len(contents) == 1 else [unwrap(content) for content in contents])


constructor("JValue")(lambda value: JValue(unwrap(value)))


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


for _owner in ("JToken", "JObject", "JArray"):
    indexer(_owner, JTOKEN, {"JObject": STRING, "JArray": INT}.get(_owner, OBJECT), write=_put)(_child)

_KINDS: dict[type, str] = {
    dict: "Object",
    list: "Array",
    bool: "Boolean",
    int: "Integer",
    float: "Float",
    str: "String",
}
prop("JToken", "Type", T("JTokenType"), lambda token: "Property" if isinstance(token, JProperty) else _kind(token.raw))
prop("JToken", "HasValues", BOOL, lambda token: isinstance(token.raw, dict | list) and bool(token.raw))
prop("JContainer", "Count", INT, lambda token: len(token.raw) if isinstance(token.raw, dict | list) else 1)
prop("JToken", "First", JTOKEN, lambda token: wrap(token.raw[0]) if isinstance(token.raw, list) and token.raw else None)
prop("JToken", "Last", JTOKEN, lambda token: wrap(token.raw[-1]) if isinstance(token.raw, list) and token.raw else None)
prop("JValue", "Value", OBJECT, lambda token: token.raw)
prop("JProperty", "Name", STRING, lambda token: token.name)
prop("JProperty", "Value", JTOKEN, lambda token: wrap(token.raw))


def _kind(raw: Any) -> str:
    return "Null" if raw is None else _KINDS[type(raw)]


def _generic(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return generics[0] if generics else JTOKEN


@method("JToken", "Children", enumerable(JTOKEN))
def _children(token: JToken) -> list[JToken]:
    if isinstance(token.raw, dict):
        return list(_properties(token))
    return [wrap(item) for item in token.raw] if isinstance(token.raw, list) else []


@method("JObject", "Properties", enumerable(JPROPERTY))
def _properties(token: JToken) -> list[Any]:
    return [JProperty(name, value) for name, value in token.raw.items()]


@method("JObject", "Property", JPROPERTY)
def _property(token: JObject, name: str) -> JProperty | None:
    return JProperty(name, token.raw[name]) if name in token.raw else None


def _ignoring_case(token: JObject, name: str) -> str | None:
    if name in token.raw:
        return name
    return next((key for key in token.raw if key.lower() == name.lower()), None)


@method("JObject", "GetValue", JTOKEN)
def _get_value(token: JObject, name: str, comparison: Any = None) -> JToken | None:
    key = _ignoring_case(token, name) if str(comparison).endswith("IgnoreCase") else name
    return wrap(token.raw[key]) if key in token.raw else None


@method("JObject", "TryGetValue", BOOL, out=JTOKEN)
def _try_get_value(token: JObject, name: str, result: Out) -> bool:
    found = name in token.raw
    result(wrap(token.raw[name]) if found else None)
    return found


method("JObject", "ContainsKey", BOOL)(lambda token, name: name in token.raw)


@method("JObject", "Add", T("void"))
def _add(token: JObject, name: Any, value: Any = None) -> None:
    _add_property(token.raw, name if isinstance(name, JProperty) else JProperty(name, unwrap(value)))


method("JObject", "Remove", BOOL)(lambda token, name: token.raw.pop(name, token) is not token)
method("JArray", "Add", T("void"))(lambda token, value: limited(_appended(token.raw, unwrap(value))))


def _appended(items: list[Any], value: Any) -> list[Any]:
    items.append(value)
    return items


@method("JObject", "Merge", T("void"))
def _merge(token: JObject, other: JToken) -> None:
    for name, value in (other.raw or {}).items():
        old = token.raw.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(JObject(old), JObject(value))
        else:
            token.raw[name] = value


@method("JToken", "DeepClone", lambda receiver, arguments, generics: receiver)
def _clone(token: JToken) -> JToken:
    measured(token.raw)
    return wrap(json.loads(json.dumps(token.raw)))


static("JToken", "DeepEquals", BOOL)(lambda left, right: unwrap(left) == unwrap(right))


@method("JToken", "SelectToken", JTOKEN, note="dotted and bracketed paths; no filters or wildcards")
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


@method("JToken", "SelectTokens", enumerable(JTOKEN), note="dotted and bracketed paths with `*`; no filters")
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


@method("JToken", "Values", lambda receiver, arguments, generics: enumerable(_generic(receiver, arguments, generics)))
def _values(token: JToken, *, generics: list[T]) -> list[Any]:
    """`array.Values<string>()`: each element, converted."""
    return [element(item.raw, generics[0]) if generics else item for item in _inside(token)]


@method("JToken", "Value", _generic)
def _value(token: JToken, key: Any = None, *, generics: list[T]) -> Any:
    """`token.Value<T>("name")`, and `token.Value<T>()` of the token itself."""
    child = _child(token, key) if key is not None else token
    wanted = generics[0]
    return default_value(wanted) if child is None else converter(JTOKEN, wanted)(child)


@method("JToken", "ToObject", _generic, note="to JSON types, scalars, lists and dictionaries")
def _to_object(token: JToken, *, generics: list[T]) -> Any:
    return converter(JTOKEN, generics[0])(token)


@static("JsonConvert", "SerializeObject", STRING)
def _serialize(value: Any, layout: Any = None) -> str:
    return to_json(unwrap(value), indented=layout == "Indented")


@static("JsonConvert", "DeserializeObject", _generic, note="to JSON types, scalars, lists and dictionaries")
def _deserialize(text: str, *, generics: list[T]) -> Any:
    found = parse(text)
    return converter(JTOKEN, generics[0])(found) if generics else found


__all__ = ["parse"]
