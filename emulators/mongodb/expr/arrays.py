"""Array expressions."""

from __future__ import annotations

from itertools import islice, zip_longest
from typing import Any

from emulators.mongodb.deadline import counted, tick
from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.expr.core import (
    LEFT_OUT,
    Expression,
    Scope,
    Variables,
    check_name,
    compile_expression,
    named,
    named_fields,
    nothing,
    simple,
    special,
)
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.sort import element_sort
from emulators.mongodb.values import INT32_MAX, INT32_MIN, MISSING, Document, is_number, key, truthy, type_name


def _array(name: str, value: Any, code: int) -> list[Any]:
    if type(value) is not list:
        raise CommandError(code, f"{name} needs an array, but found {type_name(value)}")
    return value


def _whole(name: str, value: Any, code: int) -> int:
    whole = as_integer(value)
    if whole is None:
        raise CommandError(code, f"{name} needs a whole number, but found {type_name(value)}")
    return whole


@simple("$size", 1)
def _size(value: Any) -> int:
    if type(value) is not list:
        raise CommandError(17124, f"The argument to $size must be an array, but was of type: {type_name(value)}")
    return len(value)


@simple("$isArray", 1)
def _is_array(value: Any) -> bool:
    return type(value) is list


@simple("$arrayElemAt", 2)
def _element_at(value: Any, index: Any) -> Any:
    if nothing(value) or nothing(index):
        return None
    array, place = _array("$arrayElemAt", value, 28689), _whole("$arrayElemAt", index, 28690)
    return array[place] if -len(array) <= place < len(array) else MISSING


@simple("$first", 1)
def _first(value: Any) -> Any:
    return None if nothing(value) else next(iter(_array("$first", value, 28689)), MISSING)


@simple("$last", 1)
def _last(value: Any) -> Any:
    return None if nothing(value) else next(reversed(_array("$last", value, 28689)), MISSING)


@simple("$in", 2)
def _in(value: Any, array: Any) -> bool:
    if type(array) is not list:
        raise CommandError(40081, f"$in requires an array as a second argument, found: {type_name(array)}")
    wanted = key(value)
    return any(key(item) == wanted for item in counted(array))


@simple("$concatArrays", 0, -1)
def _concat(*values: Any) -> list[Any] | None:
    found: list[Any] = []
    for value in values:
        if nothing(value):
            return None
        found += _array("$concatArrays", value, 28664)
        tick(len(found) // 50)
        if len(found) > MAX_ELEMENTS:
            raise CommandError(10334, f"$concatArrays makes an array of more than {MAX_ELEMENTS} elements")
    return found


# Each element takes at least a byte for its type, one for its name's end and one digit: more make no document.
MAX_ELEMENTS = 16 * 1024 * 1024 // 3


@simple("$reverseArray", 1, nulls=True)
def _reverse(value: Any) -> list[Any]:
    return _array("$reverseArray", value, 34435)[::-1]


@simple("$slice", 2, 3)
def _slice(value: Any, second: Any, third: Any = LEFT_OUT) -> list[Any] | None:
    if nothing(value) or nothing(second) or nothing(third):
        return None
    array, position = _array("$slice", value, 28724), _int32("$slice", second, 28725, 28726)
    if third is LEFT_OUT:
        return array[:position] if position >= 0 else array[position:]
    count = _int32("$slice", third, 28727, 28728)
    if count <= 0:
        raise CommandError(28729, f"Third argument to $slice must be positive: {count}")
    start = position if position >= 0 else max(len(array) + position, 0)
    return array[start : start + count]


@simple("$indexOfArray", 2, 4)
def _index_of(value: Any, wanted: Any, start: Any = LEFT_OUT, end: Any = LEFT_OUT) -> int | None:
    if nothing(value):
        return None
    array = _array("$indexOfArray", value, 40090)
    begin = 0 if start is LEFT_OUT else _position(start)
    stop = len(array) if end is LEFT_OUT else _position(end)
    sought = key(wanted)
    for index in range(begin, min(stop, len(array))):
        tick()
        if key(array[index]) == sought:
            return index
    return -1


def _position(value: Any) -> int:
    whole = _int32("$indexOfArray", value, 9711600, 9711600)
    if whole < 0:
        raise CommandError(9711601, f"$indexOfArray requires a nonnegative index, but got {whole}")
    return whole


def _int32(name: str, value: Any, no_number: int, not_whole: int) -> int:
    """A whole number of 32 bits; one code for another type, one for another number."""
    if not is_number(value):
        raise CommandError(no_number, f"{name} needs a whole number, but found {type_name(value)}")
    whole = as_integer(value)
    if whole is None or not INT32_MIN <= whole <= INT32_MAX:
        raise CommandError(not_whole, f"{name} needs a number that a 32-bit integer can hold, but found {value}")
    return whole


@simple("$range", 2, 3)
def _range(start: Any, end: Any, step: Any = 1) -> list[int]:
    begin = _int32("$range", start, 34443, 34444)
    stop = _int32("$range", end, 34445, 34446)
    stride = _int32("$range", step, 34447, 34448)
    if stride == 0:
        raise CommandError(34449, "$range requires a non-zero step value")
    numbers = range(begin, stop, stride)
    if len(numbers) > 1_000_000:
        raise bad_value(f"$range would make {len(numbers)} numbers; this server's limit is 1000000")
    tick(len(numbers))
    return list(numbers)


@special("$map")
def _map(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$map", argument, ["input", "in"], ["input", "as", "in"])
    name = _as(fields)
    items = compile_expression(fields["input"], scope)
    body = compile_expression(fields["in"], scope.with_names(name))

    def run(document: Document, variables: Variables) -> Any:
        value = items(document, variables)
        if nothing(value):
            return None
        results = [body(document, {**variables, name: item}) for item in counted(_array("$map", value, 16883))]
        return [None if result is MISSING else result for result in results]

    return run


def _as(fields: Document) -> str:
    name = fields.get("as", "this")
    if not isinstance(name, str):
        raise CommandError(9, "'as' must be a string that names a variable")
    if name != "CURRENT":
        check_name(name)
    return name


@special("$filter")
def _filter(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$filter", argument, ["input", "cond"], ["input", "as", "cond", "limit"])
    name = _as(fields)
    items = compile_expression(fields["input"], scope)
    test = compile_expression(fields["cond"], scope.with_names(name))
    limit = compile_expression(fields.get("limit"), scope)

    def run(document: Document, variables: Variables) -> Any:
        value, most = items(document, variables), limit(document, variables)
        if nothing(value):
            return None
        array = _array("$filter", value, 28651)
        count = len(array) if nothing(most) else _int32("$filter", most, 327391, 327391)
        if count < 1 and not nothing(most):
            raise CommandError(327392, "$filter: limit must be greater than 0")
        kept = (item for item in counted(array) if truthy(test(document, {**variables, name: item})))
        return list(islice(kept, count))

    return run


@special("$reduce")
def _reduce(argument: Any, scope: Scope) -> Expression:
    names = ["input", "initialValue", "in"]
    fields = named_fields("$reduce", argument, names, names)
    items, initial = compile_expression(fields["input"], scope), compile_expression(fields["initialValue"], scope)
    body = compile_expression(fields["in"], scope.with_names("this", "value"))

    def run(document: Document, variables: Variables) -> Any:
        value = items(document, variables)
        if nothing(value):
            return None
        result = initial(document, variables)
        for item in counted(_array("$reduce", value, 40080)):
            result = body(document, {**variables, "this": item, "value": result})
        return result

    return run


@special("$zip")
def _zip(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$zip", argument, [], ["inputs", "useLongestLength", "defaults"])
    longest, fill = fields.get("useLongestLength", False), fields.get("defaults")
    if not isinstance(fields.get("inputs", []), list):
        raise CommandError(34461, "inputs must be an array of expressions in $zip")
    if "defaults" in fields and not isinstance(fill, list):
        raise CommandError(34462, "defaults must be an array of expressions in $zip")
    if not isinstance(longest, bool):
        raise CommandError(34463, "useLongestLength must be a bool in $zip")
    if not fields.get("inputs"):
        raise CommandError(34465, "$zip requires at least one input array")
    if fill and not longest:
        raise CommandError(34466, "cannot specify defaults unless useLongestLength is true in $zip")
    if fill and len(fill) != len(fields["inputs"]):
        raise CommandError(34467, "defaults and inputs must have the same length in $zip")
    inputs = [compile_expression(item, scope) for item in fields["inputs"]]
    defaults = [compile_expression(item, scope) for item in fill or [None] * len(inputs)]

    def run(document: Document, variables: Variables) -> Any:
        arrays = [item(document, variables) for item in inputs]
        if any(nothing(array) for array in arrays):
            return None
        arrays = [_array("$zip", array, 34468) for array in arrays]
        if not longest:
            return [list(row) for row in zip(*arrays, strict=False)]
        spare = [item(document, variables) for item in defaults]
        rows = zip_longest(*arrays, fillvalue=MISSING)
        return [[spare[place] if item is MISSING else item for place, item in enumerate(row)] for row in rows]

    return run


@special("$sortArray")
def _sort_array(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$sortArray", argument, ["input", "sortBy"], ["input", "sortBy"])
    items, by = compile_expression(fields["input"], scope), fields["sortBy"]
    if isinstance(by, dict):
        order = element_sort(by, 2942505)
        return lambda document, variables: _sorted(items(document, variables), order, False)
    if not is_number(by):
        raise CommandError(2942507, f"$sortArray: sortBy must be 1, -1 or an object, found {type_name(by)}")
    if as_integer(by) not in (1, -1):
        raise CommandError(2942506, "$sortArray: sortBy must be 1 or -1 where it is a number")
    return lambda document, variables: _sorted(items(document, variables), key, as_integer(by) == -1)


def _sorted(value: Any, order: Any, descending: bool) -> Any:
    return None if nothing(value) else sorted(_array("$sortArray", value, 2942504), key=order, reverse=descending)


def _extreme_n(name: str, descending: bool | None, from_end: bool = False) -> None:
    @named(name, "n input")
    def run(n: Any, input: Any) -> Any:
        count = as_integer(n)
        if count is None or count < 1:
            raise CommandError(5787908, f"'n' must be a whole number greater than 0 for {name}")
        array = _array(name, input, 5788200)
        if descending is None:
            return array[-count:] if from_end else array[:count]
        return sorted((item for item in array if not nothing(item)), key=key, reverse=descending)[:count]


_extreme_n("$firstN", None)
_extreme_n("$lastN", None, from_end=True)
_extreme_n("$maxN", True)
_extreme_n("$minN", False)
