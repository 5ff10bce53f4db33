"""The real runtime with fake parts: the plan comes from `<home>/run/fake.json` {name: behaviour}, not from a state."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from emulators.base.state import State
from twin import runtime
from twin.supervise.settings import RuntimeConfig
from twin.supervise.spec import Health, Liveness, Plan, ProcessSpec

#: As the plan gives one to each part of the platform's own, and a container's probe to a server; only quicker.
PROBE = Liveness(Health("http", statuses=(200, 399)), delay=None, period=0.1, timeout=0.5, failures=3)
PROGRAM = Path(__file__).with_name("fake_part.py")


def make_plan(state: State, config: RuntimeConfig, home: Path, port_for: Callable[[str], int]) -> Plan:
    wanted: dict[str, str] = json.loads((home / "run" / "fake.json").read_text())
    fixed = {"gateway": config.gateway_port, "entra": config.entra_port}
    refused = {name: f"{name} is refused on purpose" for name, how in wanted.items() if how == "refused"}
    processes = [
        part(home, name, behaviour, fixed.get(name) or port_for(name))
        for name, behaviour in wanted.items()
        if name not in refused
    ]
    return Plan(tuple(processes), "mongodb://127.0.0.1/", refused=refused)


def part(home: Path, name: str, behaviour: str, port: int) -> ProcessSpec:
    kind = name if name in ("gateway", "entra") else "server"
    config = home / "run" / f"{name}.json"
    restart, _, behaviour = behaviour.rpartition(":")
    live = restart == "live"  # it takes another behaviour over without a restart
    settings = {str(config): json.dumps({"port": port, "behaviour": behaviour})}
    return ProcessSpec(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        argv=(sys.executable, str(PROGRAM), "--config", str(config)),
        port=port,
        health=Health("http"),
        cwd=str(home / "run"),
        files={} if live else settings,
        live=settings if live else {},
        liveness=PROBE if behaviour == "probed" or kind != "server" else None,
        restart="Always" if live else restart or "Always",  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    sys.exit(runtime.main(planner=make_plan))
