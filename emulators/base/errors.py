"""Errors that the emulators share: one sentence each, naming what was met, the rule, and the remedy.

EmulatorError
├── ConfigError     a configuration file that cannot be read, or that says something unknown
├── ListenError     a port that is taken
├── StateError      the applied state lacks something, or holds it twice
├── StoreError      the stand-in cloud's file cannot be read, or lacks what is to be changed
├── PolicyError     policy XML that cannot be read (emulators/base/policy_xml.py) or run (emulators/apim/errors.py)
└── …               each emulator's own, in its errors.py
"""


class EmulatorError(Exception):
    """Base of everything that an emulator raises on purpose; `str()` is one sentence for a person."""


class ConfigError(EmulatorError):
    pass


class ListenError(EmulatorError):
    pass


class StateError(EmulatorError):
    pass


class StoreError(EmulatorError):
    pass


class PolicyError(EmulatorError):
    pass
