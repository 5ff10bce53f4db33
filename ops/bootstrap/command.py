"""An `az` command as a step. `${NAME}` in it stands for a value that an earlier command printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.azure import az
from ops.cli.steps import Step
from ops.errors import AzError, BootstrapError

Values = dict[str, str]
"""What is known so far: IDENTITY_PRINCIPAL_ID and the like."""

# These pass by themselves, or say that there is nothing to make: whoever runs the command decides what they mean.
_PASSING = ("exists", "not-found", "busy", "throttled", "network", "azure")
_REFERENCE = re.compile(r"\$\{([A-Z_]+)\}")


class UnknownValueError(BootstrapError):
    """A command needs a value that no command has printed yet."""


@dataclass(frozen=True)
class Command:
    """`saves`: the name of what it tells; then `query` is the JMESPath that picks it out of the answer.

    `refusal`: what to tell a person when az refuses, made of az's words; without it, these stand alone.
    """

    arguments: tuple[str, ...]
    saves: str = ""
    query: str = ""
    refusal: Callable[[str], str] | None = field(default=None, compare=False)

    def step(self, values: Values) -> Step[Any]:
        """Return the step that runs it with what is known by then."""
        return Step(lambda: self.run(values), None, (self.line(values),))

    def run(self, values: Values) -> Any:
        """Run it with what is known, and remember what it tells; AzError, UnknownValueError."""
        filled = [fill(argument, values) for argument in self.arguments]
        try:
            answer = az.run(*filled, *(("--query", self.query) if self.query else ()))
        except AzError as error:
            if self.refusal is None or error.kind in _PASSING:
                raise
            raise BootstrapError(self.refusal(str(error))) from error
        if self.saves:
            if not answer:
                raise BootstrapError(
                    f"`{az.command(*filled)}` told no {self.saves}; it may be minutes old, so run it again"
                )
            values[self.saves] = str(answer)
        return answer

    def line(self, values: Mapping[str, str]) -> str:
        """Return it as a person pastes it into a shell."""
        typed = " ".join(quoted(known(argument, values)) for argument in ("az", *az.masked(self.arguments)))
        if not self.saves:
            return typed
        return f"{self.saves}=$({typed} --query {quoted(self.query)} --output tsv)"


def command(*arguments: str, saves: str = "", query: str = "", refusal: Callable[[str], str] | None = None) -> Command:
    return Command(arguments, saves, query, refusal)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every reference replaced; UnknownValueError names the first that cannot be."""
    for name in _REFERENCE.findall(text):
        if name not in values:
            raise UnknownValueError(f"{name} is not known yet; run the steps of `invoke bootstrap` in their order")
    return known(text, values)


def known(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the references replaced that can be."""
    return _REFERENCE.sub(lambda match: values.get(match[1], match[0]), text)


def quoted(text: str) -> str:
    """Quote for a POSIX shell: references stay references, everything else stays what it is."""
    if not _REFERENCE.search(text):
        return shlex.quote(text)
    parts = _REFERENCE.split(text)
    # Odd parts are the names.
    escaped = [f"${{{part}}}" if i % 2 else re.sub(r'([\\"$`])', r"\\\1", part) for i, part in enumerate(parts)]
    return f'"{"".join(escaped)}"'
