"""A program that heeds Ctrl-C, whoever starts the tests."""

from __future__ import annotations

import signal


def heed() -> None:
    """A `preexec_fn`: a shell starts background jobs with SIGINT ignored, which their children inherit.

    POSIX, "Shell Command Language", asynchronous lists. Python then installs no handler either, and goes on.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
