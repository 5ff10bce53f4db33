"""The commands. Importing the package registers every one with `dispatch`."""

from emulators.mongodb.commands import (
    aggregate,
    catalog,
    diagnose,
    explain,
    indexes,
    modify,
    query,
    signin,
    users,
    write,
)

__all__ = ["aggregate", "catalog", "diagnose", "explain", "indexes", "modify", "query", "signin", "users", "write"]
