"""`python -m emulators.entra --config FILE`

SIGHUP reads the applied state again, SIGUSR1 rolls the signing key over, SIGTERM stops.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from emulators.base import serving
from emulators.base.errors import TwinError
from emulators.entra.app import create_app
from emulators.entra.config import Config
from emulators.entra.issuer import Issuer
from emulators.entra.keys import KeyRing

log = logging.getLogger("emulators.entra")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulators.entra")
    parser.add_argument("--config", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_serve(Config.load(parser.parse_args().config)))
    except TwinError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    listener = serving.listen(config.host, config.port, "set ENTRA_PORT to another one, or 0")
    port = listener.getsockname()[1]
    issuer = Issuer(
        config.base_url or f"http://{config.host}:{port}",
        config.directory(),
        KeyRing.open(config.data_dir),
        config.identity_hosts,
        config.trusted_issuers,
    )
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGHUP, _reload, issuer, config)
        loop.add_signal_handler(signal.SIGUSR1, _roll_over, issuer)
    settings = serving.config(create_app(issuer), h11_max_incomplete_event_size=32 * 1024)
    await serving.Announced(settings, "entra").serve(sockets=[listener])


def _reload(issuer: Issuer, config: Config) -> None:
    try:
        issuer.adopt(config.directory())
    except TwinError as error:
        log.error("the applied state was not taken over: %s", error)
    else:
        log.info("the applied state was read again")


def _roll_over(issuer: Issuer) -> None:
    issuer.keys.rotate()
    log.info("the signing key was rolled over")


if __name__ == "__main__":
    raise SystemExit(main())
