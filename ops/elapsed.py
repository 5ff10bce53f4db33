"""`python -m ops.elapsed COMMAND …` runs it; on a terminal, while it says nothing, a person sees for how long it runs.

For programs of others that work in silence (mypy, Checkov, an installation). They see a terminal as wide as this one;
what is added stands behind their last word, and is gone when they go on. In a log nothing is added.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence

_QUIET = 2.0  # seconds without a word
# Remember the place, do not wrap, grey words, and back; then, before the next word, wipe what was added.
_ADDED = "\x1b7\x1b[?7l\x1b[2m … {seconds:.0f} s\x1b[0m\x1b[?7h\x1b8"
_WIPED = b"\x1b[K"


def run(command: Sequence[str], write: Callable[[bytes], object]) -> int:
    """Its exit code; what it and this module say goes to `write`."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, _size())
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=inner, stderr=inner)
    os.close(inner)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda given, _: _pass_on(process, given))
    added = False
    while True:
        ready, _, _ = select.select([outer], [], [], _QUIET)
        if not ready:
            write(_ADDED.format(seconds=time.monotonic() - started).encode())
            added = True
            continue
        said = _read(outer)
        write(_WIPED + said if added else said)
        added = False
        if not said:
            break
    os.close(outer)
    return _code(process.wait())


def main(command: Sequence[str]) -> int:
    if not sys.stdout.isatty() or os.environ.get("CI"):
        return _code(subprocess.run(command, check=False).returncode)

    def write(said: bytes) -> None:
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()

    return run(command, write)


def _read(outer: int) -> bytes:
    """Empty at the end, which Linux reports as an error."""
    try:
        return os.read(outer, 1 << 16)
    except OSError:
        return b""


def _pass_on(process: subprocess.Popen[bytes], number: int) -> None:
    """Ctrl-C reaches the program from the terminal; whoever ends this one means that one."""
    if number != signal.SIGINT and process.poll() is None:
        process.send_signal(number)


def _size() -> bytes:
    try:
        return fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return b"\x18\0\x50\0\0\0\0\0"  # 24 lines of 80 columns


def _code(returned: int) -> int:
    """As a shell has it for what a signal ended."""
    return 128 - returned if returned < 0 else returned


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
