"""`python -m twin.console --config FILE`: serves the local platform's page until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from emulators.base import serving
from emulators.base.errors import EmulatorError
from twin.console.app import create_app
from twin.console.config import Config


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.console")
    parser.add_argument("--config", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_serve(Config.load(parser.parse_args().config)))
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    listener = serving.listen(config.host, config.port, "set CONSOLE_PORT to another one, or 0")
    settings = serving.config(create_app(config, listener.getsockname()[1]))
    await serving.Announced(settings, "console").serve(sockets=[listener])


if __name__ == "__main__":
    raise SystemExit(main())
