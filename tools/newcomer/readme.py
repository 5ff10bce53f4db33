"""The commands that the README shows, in its order, and which of them a laptop without Azure can run."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

# What a command says, and why it does not run here; whatever is not in here runs.
_ELSEWHERE = [
    (r"^invoke bootstrap\b", "it works in a subscription and a tenant; `nox -s az` runs it against a local one"),
    (r"--env (?!local\b)\S+", "it works in a subscription"),
    (
        r"--runtime docker",
        "it needs a Docker engine; tests/unit/runtime runs it with a stand-in",
    ),
    (r"^az |\| az |\$\(az ", "it works in a subscription; `nox -s az` runs it against a local one"),
    (r"^[A-Z_]+=|^echo ", "it only names or shows what the commands around it use"),
    (r"^(cd|terraform|docker) ", "it works in a subscription; `invoke deploy` does the same on this machine"),
]


@dataclass(frozen=True)
class Command:
    """`reason`: why it is not run; empty where it is."""

    text: str
    reason: str


def commands(text: str) -> list[Command]:
    """Of every ```sh block, without comments, continued lines joined."""
    found = []
    for block in _BLOCK.findall(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            command = re.sub(r"(^|\s+)# .*$", "", line).strip()
            if command:
                found.append(Command(command, _reason(command)))
    return found


def _reason(command: str) -> str:
    return next((reason for pattern, reason in _ELSEWHERE if re.search(pattern, command)), "")
