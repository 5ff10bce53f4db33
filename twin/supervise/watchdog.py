"""Where the kernel does not end children with their parent (macOS): waits for the supervisor to die, then ends them.

    python -m twin.supervise.watchdog <home>      with the supervisor's pipe as standard input

End of file on the pipe means that the supervisor is gone, whatever the reason; after an orderly stop nothing is left.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twin.supervise import lock


def start(home: Path) -> subprocess.Popen[bytes] | None:
    """The watchdog of this process, where one is needed."""
    if sys.platform == "linux":
        return None
    command = [sys.executable, "-m", "twin.supervise.watchdog", str(home)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def main(home: Path) -> None:
    while os.read(0, 1024):
        pass
    for pid, identity in lock.leftovers(home):
        lock.end_group(pid, identity, grace=3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
