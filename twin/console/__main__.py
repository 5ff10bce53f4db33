"""The local platform's page, until SIGTERM.

python -m twin.console --config FILE
"""

from __future__ import annotations

from emulators.base import processes, serving
from twin.console.app import create_app
from twin.console.config import Config


async def serve(config: Config) -> None:
    listener = serving.listen(config.host, config.port, "set CONSOLE_PORT to another one, or 0")
    settings = serving.config(create_app(config, listener.getsockname()[1]))
    await serving.Announced(settings, "console").serve(sockets=[listener])


def main() -> int:
    return processes.main("python -m twin.console", __doc__, Config.load, serve)


if __name__ == "__main__":
    raise SystemExit(main())
