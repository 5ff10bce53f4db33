"""Errors of the local platform: one sentence each, naming what was met, the rule, and the remedy.

EmulatorError (emulators/base/errors.py)
└── TwinError
    ├── RuntimeFailure    a process did not start, died too often, or a port is taken
    └── SignInError       a sign-in at the local issuer failed (twin/sign_in.py)
"""

from emulators.base.errors import EmulatorError


class TwinError(EmulatorError):
    """Base of everything the twin raises on purpose."""


class RuntimeFailure(TwinError):
    pass
