"""The twin's errors: one sentence each, naming what was met, the rule, and the remedy.

TwinError
├── StateError        the applied state lacks something, or holds it twice
├── ProviderError     the stand-in Terraform provider cannot do what it was asked
├── PolicyError       policy XML that the local gateway cannot run (see emulators/apim)
├── DirectoryError    an app registration, group or assignment that Entra ID would not accept (see emulators/entra)
├── MongoError        the MongoDB stand-in refuses (see emulators/mongodb)
└── RuntimeFailure    a process did not start, died too often, or a port is taken (see twin/runtime.py)
"""


class TwinError(Exception):
    """Base of everything the twin raises on purpose; `str()` is one sentence for a person."""


class StateError(TwinError):
    pass


class ProviderError(TwinError):
    pass


class PolicyError(TwinError):
    pass


class DirectoryError(TwinError):
    pass


class MongoError(TwinError):
    pass


class RuntimeFailure(TwinError):
    pass
