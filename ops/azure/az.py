"""The Azure CLI: run it, read its JSON, and say in one sentence what it refused."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from ops.azure import refusals
from ops.cli.steps import Step
from ops.errors import AzError, ToolError

_SECRET_OPTIONS = ("--password", "-p", "--account-key", "--sas-token", "--connection-string", "--value", "--secret")
_MASK = "***"


def run(*arguments: str) -> Any:
    """Run `az <arguments> -o json` and return its answer; None where it prints nothing. AzError carries az's words."""
    said = _output(arguments)
    return json.loads(said) if said.strip() else None


def act(*arguments: str) -> None:
    """Run a command that answers in words whatever it is asked for: `az acr login` says "Login Succeeded"."""
    _output(arguments)


def text(*arguments: str) -> str:
    """Run a command that prints text whatever it is asked for, such as a container's log; return the text."""
    return _output(arguments)


def step(*arguments: str, expected: Any = None) -> Step[Any]:
    """Return the step that runs this command."""
    return Step(lambda: run(*arguments), expected, (command(*arguments),))


def look(*arguments: str, expected: Any) -> Step[Any]:
    """Return the step that only asks; a dry run does not print it, and goes on with `expected`."""
    return Step(lambda: run(*arguments), expected)


def require() -> str:
    """Return where the Azure CLI is; ToolError without one. Terraform signs in with it too."""
    binary = shutil.which("az")
    if not binary:
        raise ToolError("the Azure CLI is not on PATH; install it (learn.microsoft.com/cli/azure/install-azure-cli)")
    return binary


def _output(arguments: tuple[str, ...]) -> str:
    binary = require()
    answer = subprocess.run([binary, *arguments, "--output", "json"], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise AzError(refusal(arguments, answer.stderr), kind=refusals.of(answer.stderr).kind)
    return answer.stdout


def find(*arguments: str) -> Any:
    """Run a command; None where az says that there is no such thing."""
    try:
        return run(*arguments)
    except AzError as error:
        if error.kind != "not-found":
            raise
        return None


def command(*arguments: str) -> str:
    """Return the command as a person types it, secrets masked."""
    return shlex.join(["az", *masked(arguments)])


def masked(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with *** for the value of every option that takes a secret."""
    before = ("", *arguments)
    return [
        _MASK if option in _SECRET_OPTIONS else argument for option, argument in zip(before, arguments, strict=False)
    ]


def refusal(arguments: tuple[str, ...], stderr: str) -> str:
    """Return one sentence: which command, the remedy if known, and what az said."""
    said = " ".join(stderr.split()) or "it printed nothing"
    return f"`az {' '.join(arguments[:3])}` failed: {refusals.of(stderr).remedy}; az says: {said}"
