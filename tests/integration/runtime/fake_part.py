"""A stand-in for any part: `python fake_part.py --config FILE`, or PORT in the environment, as a server gets it.

Config: {port, behaviour}. Behaviours: serve; die (exit 3 with a message); stubborn (ignores SIGTERM); job (fails the
first time, does its work the second: exit 0);
sick (answers 503 once the file next to the config, `<config>.sick`, exists).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path


def answer(connection: socket.socket, sick: bool) -> None:
    asked = connection.recv(65536)
    if asked.startswith(b"GET"):
        status = b"503 Service Unavailable" if sick else b"200 OK"
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.close()


def main() -> None:
    config = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    settings = json.loads(config.read_text()) if config else {"port": int(os.environ["PORT"]), "behaviour": "serve"}
    if settings["behaviour"] == "die":
        sys.exit("cannot serve: the policy is broken")
    if settings["behaviour"] == "job" and config is not None:
        first = config.with_suffix(".tried")
        tried = first.exists()
        first.touch()
        sys.exit(0 if tried else "cannot reach the database yet")
    if settings["behaviour"] == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # What it is told to do instead, on SIGHUP: nothing that this program could go on with.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit("cannot serve: the policy is broken"))
    listener = socket.create_server(("127.0.0.1", settings["port"]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        connection, _ = listener.accept()
        answer(connection, config is not None and config.with_suffix(".sick").exists())


if __name__ == "__main__":
    main()
