"""Pytest plugin (`-p tools.rule_off`): the functions that RULE_OFF names do nothing while the tests run.

`python -m tools.azure_rules --prove` runs each rule's test so: a test that passes without its rule holds nothing.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

Function = Callable[..., Any]


def resolve(name: str) -> tuple[Function, Function]:
    """The function that `package.module.function` names, and one that does nothing in its place.

    `package.module.function=N` returns its argument number N as it is. Raises AttributeError or ImportError where there
    is none.
    """
    path, _, kept = name.partition("=")
    module, _, attribute = path.rpartition(".")
    found: Function = getattr(import_module(module), attribute)
    if kept:
        return found, lambda *arguments, **_: arguments[int(kept)]
    nothing: Function = (lambda *_, **__: iter(())) if inspect.isgeneratorfunction(found) else (lambda *_, **__: None)
    return found, nothing


def switch_off(names: Sequence[str], modules: Sequence[ModuleType]) -> None:
    """Put the replacement wherever these modules hold the function: by name, or in a table."""
    for function, nothing in map(resolve, names):
        for module in modules:
            for name, value in list(vars(module).items()):
                if value is function:
                    setattr(module, name, nothing)
                elif isinstance(value, dict):
                    for key, held in list(value.items()):
                        value[key] = _without(held, function, nothing)


def _without(held: Any, function: Function, nothing: Function) -> Any:
    if held is function:
        return nothing
    if isinstance(held, list | tuple) and any(one is function for one in held):
        return type(held)(nothing if one is function else one for one in held)
    return held


def pytest_collection_modifyitems() -> None:
    """After collection every module that the tests use is there."""
    ours = ("emulators.", "ops.", "twin.", "tests.")
    modules = [module for name, module in sys.modules.items() if name.startswith(ours)]
    switch_off(list(filter(None, os.environ["RULE_OFF"].split(","))), modules)
