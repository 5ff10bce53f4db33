"""An issuer that behaves like Entra ID for one tenant, on one port of this machine.

    python -m emulators.entra --config FILE

It prints `ready entra PORT` when it serves. SIGHUP reads users, groups and applications again, SIGUSR1 rolls the
signing key over, SIGTERM and Ctrl-C stop it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from emulators.base import processes, serving
from emulators.base.errors import EmulatorError
from emulators.entra.app import create_app
from emulators.entra.config import Config
from emulators.entra.directory_file import DirectoryFile
from emulators.entra.issuer import Issuer
from emulators.entra.keys import KeyRing

log = logging.getLogger("emulators.entra")


async def serve(config: Config) -> None:
    text = config.state_text()
    directory = config.read_directory()  # before the port is taken: what is wrong with it is said first
    listener = serving.listen(config.host, config.port, "set ENTRA_PORT or `port` to another one, or 0")
    port = listener.getsockname()[1]
    issuer = Issuer(
        config.base_url or f"http://{config.host}:{port}",
        directory,
        KeyRing.open(config.data_dir),
        config.identity_hosts,
        config.trusted_issuers,
    )
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGHUP, _reload, issuer, config)
        loop.add_signal_handler(signal.SIGUSR1, _roll_over, issuer)
    config.confirm(text)
    followed = DirectoryFile(config.directory, issuer) if config.directory else None
    settings = serving.config(create_app(issuer, followed), h11_max_incomplete_event_size=32 * 1024)
    await serving.Announced(settings, "entra").serve(sockets=[listener])


def _reload(issuer: Issuer, config: Config) -> None:
    text = config.state_text()
    try:
        issuer.adopt(config.read_directory())
    except EmulatorError as error:
        log.error("the directory stays as it was: %s", error)
    else:
        config.confirm(text)
        log.info("the directory was read again")


def _roll_over(issuer: Issuer) -> None:
    try:
        issuer.keys.rotate()
    except EmulatorError as error:
        log.error("%s", error)
    else:
        log.info("the signing key was rolled over")


def main() -> int:
    return processes.main("python -m emulators.entra", __doc__, Config.load, serve)


if __name__ == "__main__":
    raise SystemExit(main())
