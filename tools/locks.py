"""`python -m tools.locks FILE...`: pin what `uv pip compile --no-strip-extras` pins with extras without them, too."""

from __future__ import annotations

import sys
from pathlib import Path

from ops.images.pip_lock import with_plain_pins

if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_plain_pins(path.read_text(encoding="utf-8")), encoding="utf-8")
