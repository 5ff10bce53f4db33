"""A MongoDB server for machines without MongoDB: its wire protocol, its operators, and refusals by name.

    python -m emulators.mongodb                                       127.0.0.1:27017, nothing kept, no password
    python -m emulators.mongodb --port 0 --data-dir data --users-file users.json --seed
    python -m emulators.mongodb --config FILE

It prints `ready mongo PORT` when it listens, and serves until SIGTERM or Ctrl-C. SIGHUP reads the users file again: who
is connected stays connected.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from emulators.base import live, processes
from emulators.mongodb.config import Config, read_users
from emulators.mongodb.dispatch import Server
from emulators.mongodb.errors import MongoError
from emulators.mongodb.expiry import sweep_for_ever
from emulators.mongodb.oidc import Tokens
from emulators.mongodb.scram import Credentials
from emulators.mongodb.seed import plant
from emulators.mongodb.server import Listener
from emulators.mongodb.storage.store import Store

DEFAULT_PORT = 27017
log = logging.getLogger("emulators.mongodb")


def build(config: Config) -> Server:
    """The server with its data; sample data only where there was none."""
    store = Store(config.data_dir)
    if config.seed and store.is_new:
        plant(store)
    return Server(store, Credentials(config.users), Tokens(config.oidc) if config.oidc else None)


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
    server.turns.close()
    server.turns.acquire()
    server.store.close()


def configuration(arguments: Sequence[str] | None) -> Config:
    """From a file, or from flags."""
    parser = argparse.ArgumentParser(
        prog="python -m emulators.mongodb",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="a JSON object with host, port, data_dir, users or users_file, seed, oidc",
    )
    add("--host", default="127.0.0.1", help="needs --users-file where it is not this machine (default: 127.0.0.1)")
    add("--port", type=int, default=DEFAULT_PORT, help=f"0: a free one (default: {DEFAULT_PORT})")
    add("--data-dir", metavar="FOLDER", help="where data is kept; without it nothing is")
    add(
        "--users-file",
        metavar="FILE",
        help="a JSON list of {name, password, role: readWrite | read}, or {object_id, role: root}",
    )
    add("--seed", action="store_true", help="sample data (database `platform`) where there is none yet")
    given = vars(parser.parse_args(arguments))
    if file := given.pop("config"):
        changed = [name for name, value in given.items() if value != parser.get_default(name)]
        if changed:
            parser.error(f"--config says everything: leave --{changed[0].replace('_', '-')} out, or --config")
        return Config.load(file)
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return Config.parse(values if given["users_file"] else {**values, "users": []})


def main(arguments: Sequence[str] | None = None) -> int:
    async def start() -> None:
        await serve(configuration(arguments))

    return processes.run(start, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(main())
