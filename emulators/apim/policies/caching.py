"""Caching of values."""

from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Run


def _internal(element: Element) -> None:
    """`prefer-external` falls back to the internal cache, which is the only one here."""
    if element.literal("caching-type") == "external":
        element.invalid("the local gateway has no external cache", "caching-type")


@element("cache-lookup-value", partial="internal cache only")
def cache_lookup_value(element: Element) -> Run:
    """A miss without a default leaves the variable unset."""
    _internal(element)
    key, default, variable = element.value("key"), element.optional("default-value"), element.literal("variable-name")

    def run(context: Context) -> None:
        found = context.services.cache.get(key.text(context))
        if found is not None:
            context.variables[variable] = found[0]
        elif default is not None:
            context.variables[variable] = default.run(context)

    return run


@element("cache-store-value", partial="internal cache only; stored before the next statement runs")
def cache_store_value(element: Element) -> Run:
    _internal(element)
    key, value, duration = element.value("key"), element.value("value"), element.number("duration")

    def run(context: Context) -> None:
        context.services.cache.put(key.text(context), value.run(context), duration(context))

    return run


@element("cache-remove-value", partial="internal cache only")
def cache_remove_value(element: Element) -> Run:
    _internal(element)
    element.flag("fail-on-cache-removal-error")  # removing never fails here
    key = element.value("key")
    return lambda context: context.services.cache.remove(key.text(context))
