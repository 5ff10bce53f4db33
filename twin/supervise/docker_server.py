"""`python -m twin.supervise.docker_server --config FILE`: one container of a container group, in the foreground.

So it is supervised as every other part is: prints the container's log, ends when it ends, and removes it on SIGTERM.

FILE: home, engine (see docker_engine.environment), box (see docker_box.Box).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twin.errors import RuntimeFailure
from twin.supervise import docker_engine
from twin.supervise.docker_box import Box, Boxes, remember
from twin.supervise.spec import Health, ProcessSpec, Restart, as_file, python_module

__all__ = ["Box", "spec"]

_ROOT = Path(__file__).resolve().parents[2]
# Where Docker keeps sign-ins to registries, and how to reach these.
_PASSED_ON = ("DOCKER_CONFIG", "HOME")


def spec(box: Box, health: Health, restart: Restart, digest: str, home: Path) -> ProcessSpec:
    """The process that stands for the container; RuntimeFailure for an image that no Docker engine has."""
    if not box.reference:
        raise RuntimeFailure("its image was not built for Docker; run `invoke deploy --setting RUNTIME=docker`")
    config = home / "run" / f"{box.name}.json"
    settings = {"home": str(home), "engine": docker_engine.environment(), "box": asdict(box)}
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return ProcessSpec(
        name=box.name,
        kind="server",
        argv=python_module("twin.supervise.docker_server", config),
        port=box.port,
        health=health,
        cwd=str(_ROOT),
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8", **own},
        files={str(config): as_file(settings)},
        restart=restart,
        version=digest,
    )


def serve(home: Path, box: Box, where: Mapping[str, str], engine: Any) -> int:
    """The container's exit code, when it ends; a signal raises SystemExit. Either way it is removed."""
    boxes = Boxes(engine, home)
    remember(home, where)
    boxes.remove(box.name)
    try:
        container = boxes.create(box)
        with docker_engine.translated(f"the container of {box.name} was started"):
            container.start()
        log = threading.Thread(target=_print_log, args=(container,), daemon=True)
        log.start()
        with docker_engine.translated(f"the container of {box.name} was watched"):
            code = int(container.wait(timeout=None)["StatusCode"])
        log.join(timeout=1)
        return code
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked once is enough: what follows must be done
        boxes.remove(box.name)


def _print_log(container: Any) -> None:
    with contextlib.suppress(Exception):  # it ends with the container, in one way or another
        for line in container.logs(stream=True, follow=True):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.supervise.docker_server")
    parser.add_argument("--config", type=Path, required=True)
    given = json.loads(parser.parse_args().config.read_text(encoding="utf-8"))
    box = Box(**{**given["box"], "command": tuple(given["box"]["command"])})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        return serve(Path(given["home"]), box, given["engine"], docker_engine.connect(given["engine"]))
    except RuntimeFailure as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
