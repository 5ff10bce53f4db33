"""What the tasks raise: one sentence each, naming the input, the rule and the remedy.

OpsError                  exit code 1
├── UsageError            exit code 2: the command line asks for something that does not exist
├── SettingError          a setting is missing, malformed, or its file cannot be read
├── ToolError             Terraform, uv, az or Docker is missing, too old, or could not be fetched
├── TerraformError        Terraform ran and refused; `.log` is the file with its whole output
├── ImageError            a server cannot be built or pushed
├── AzError               the Azure CLI refused
├── BootstrapError        what bootstrap has to find or make is not there, or not as it must be
├── BusyError             a port is taken, or another run holds the environment
├── NotDeployedError      the task needs something that is not running or not applied
├── StalePlanError        a saved plan is no longer what would happen, or not the one that was saved
├── SmokeError            the platform is up, but a call through it did not do what it must
├── DeclinedError         a person answered "no"
└── InterruptError        Ctrl-C or SIGTERM; exit code 130
"""

from __future__ import annotations

from pathlib import Path


class OpsError(Exception):
    """Base of everything the tasks raise on purpose; `str()` is one sentence for a person."""

    exit_code = 1


class UsageError(OpsError):
    exit_code = 2


class SettingError(OpsError):
    """`name` is the setting's documented name, or empty where a whole file is at fault."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class ToolError(OpsError):
    pass


class TerraformError(OpsError):
    """`kind` is one of ops.terraform.cli.KNOWN, or empty: what was refused, for tasks that go on from there."""

    def __init__(self, message: str, *, log: Path, kind: str = "") -> None:
        super().__init__(message)
        self.log = log
        self.kind = kind


class ImageError(OpsError):
    pass


class AzError(OpsError):
    """`kind` is one of ops.azure.refusals: what was refused, for tasks that go on from there."""

    def __init__(self, message: str, *, kind: str = "unknown") -> None:
        super().__init__(message)
        self.kind = kind


class BootstrapError(OpsError):
    pass


class BusyError(OpsError):
    pass


class NotDeployedError(OpsError):
    pass


class StalePlanError(OpsError):
    pass


class SmokeError(OpsError):
    pass


class DeclinedError(OpsError):
    pass


class InterruptError(OpsError):
    exit_code = 130
