"""The real Azure CLI, loaded once and forked for each command: its start takes longer than most of what it is asked.

The Azure CLI's own Python runs `forked_az.py SOCKET`; `start` writes an `az` that hands its arguments, environment,
folder and streams to it. What a command had to load, the server loads too, for those that come after it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

_LEARNED = ("azure.", "knack.", "msal", "msrest", "requests", "urllib3", "cryptography", "jwt", "xml.", "http.")

_CLIENT = """#!{python} -IS
import json, os, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(server, [struct.pack("!I", len(asked))], [0, 1, 2])
server.sendall(asked)
status = server.recv(1)
sys.exit(status[0] if status else 1)
"""


def start(folder: Path, az: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Loads that Azure CLI, and puts an `az` into the folder. Whoever ends it ends its command, as with a process."""
    folder.mkdir(exist_ok=True)
    sockets = Path(tempfile.mkdtemp(prefix="az-"))  # a socket's path is short
    path = str(sockets / "s")
    server = subprocess.Popen(
        [str(az.parent / "python"), __file__, path], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n", "the Azure CLI could not be loaded"
    (folder / "az").write_text(_CLIENT.format(python=sys.executable, path=path), encoding="utf-8")
    (folder / "az").chmod(0o755)
    return server


def serve(path: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    importlib.import_module("azure.cli.core")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    learned, taught = os.pipe()
    os.set_blocking(learned, False)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        asked, _ = listener.accept()
        _load(learned)
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(asked, taught)
        asked.close()


def _load(learned: int) -> None:
    """The modules that earlier commands loaded; what loads only inside a command is left to it."""
    said = b""
    with contextlib.suppress(BlockingIOError):
        while part := os.read(learned, 65_536):
            said += part
    for name in said.decode().split():
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _answer(asked: socket.socket, taught: int) -> None:
    header, streams, _, _ = socket.recv_fds(asked, 4, 3)
    size = struct.unpack("!I", header)[0]
    content = b""
    while len(content) < size:
        content += asked.recv(size - len(content))
    arguments, environment, folder = json.loads(content)
    if environment["AZURE_CONFIG_DIR"] != os.environ["AZURE_CONFIG_DIR"]:  # it is read when the modules are
        os._exit(2)
    for stream, number in zip(streams, (0, 1, 2), strict=True):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["az", *arguments]
    before = set(sys.modules)
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    status = _run()
    new = " ".join(name for name in set(sys.modules) - before if name.startswith(_LEARNED))
    with contextlib.suppress(OSError):
        os.write(taught, new[:60_000].rpartition(" ")[0].encode() + b" ")
        asked.send(bytes([status]))
    os._exit(status)


def _run() -> int:
    try:
        runpy.run_module("azure.cli", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _end_with(asked: socket.socket) -> None:
    if not asked.recv(1):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    serve(sys.argv[1])
