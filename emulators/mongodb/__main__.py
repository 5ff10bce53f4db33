"""`python -m emulators.mongodb --config FILE`: prints `ready mongo <port>` when it listens, serves until SIGTERM.

SIGHUP: reads its `users_file` again. Who is connected stays connected; see emulators.base.live for how it confirms.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop

from emulators.base import live
from emulators.mongodb.config import Config, read_users
from emulators.mongodb.dispatch import Server
from emulators.mongodb.errors import MongoError
from emulators.mongodb.expiry import sweep_for_ever
from emulators.mongodb.scram import Credentials
from emulators.mongodb.seed import plant
from emulators.mongodb.server import Listener
from emulators.mongodb.storage.store import Store

log = logging.getLogger("emulators.mongodb")


def build(config: Config) -> Server:
    """The server with its data; sample data only where there was none."""
    store = Store(config.data_dir)
    if config.seed and store.is_new:
        plant(store)
    return Server(store, Credentials(config.users))


def take_users(server: Server, path: Path) -> None:
    """Lets in whom the file names now, and nobody else. What is wrong with the file is logged, and changes nothing."""
    try:
        users, text = read_users(path)
    except MongoError as error:
        log.error("the users stay as they were: %s", error)
        return
    server.credentials.replace(users)
    live.confirm(path, text)
    log.info("%d users may sign in", len(users))


async def serve(config: Config) -> None:
    server = build(config)
    listener = Listener(server)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        port = await listener.start(config.host, config.port)
    except OSError as error:
        server.store.close()
        raise MongoError(
            f"cannot listen on {config.host}:{config.port} ({error.strerror}); choose another port"
        ) from error
    if config.users_file:
        loop.add_signal_handler(signal.SIGHUP, take_users, server, config.users_file)
        take_users(server, config.users_file)  # as it is now: it may have changed since it was first read
    sweeper = asyncio.create_task(sweep_for_ever(server))
    sys.stdout.write(f"ready mongo {port}\n")
    sys.stdout.flush()
    await stop.wait()
    sweeper.cancel()
    listener.close()
    server.store.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m emulators.mongodb", description="A MongoDB stand-in for machines without MongoDB."
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON: host, port, data_dir, users or users_file, seed"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(Config.load(arguments.config)))
    except MongoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
