"""What the stand-in knows while it answers: the store, who deploys where, and what it has seen in this session."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.faults import Faults
from emulators.azurerm.policy_text import LineBreaks
from emulators.azurerm.values import is_unknown
from emulators.base.account_keys import as_key
from emulators.base.store import Store
from emulators.base.well_known import AZURE_CLI

TENANT_ID = "7b7a1a5e-0000-4000-8000-7477696e0001"
SUBSCRIPTION_ID = "7b7a1a5e-0000-4000-8000-7477696e0002"  # where no provider block has said otherwise (seed)
DEPLOYER_OBJECT_ID = "11111111-aaaa-4aaa-8aaa-000000000009"
NAMESPACE = uuid.UUID("7b7a1a5e-0000-4000-8000-7477696e0000")


def guid(*parts: str) -> str:
    """The same parts give the same GUID, on every machine."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(parts)))


def digest_of(values: Any) -> str:
    """A name for what is known of an object: two objects with the same arguments share it."""
    return hashlib.sha256(json.dumps(known_of(values), sort_keys=True).encode()).hexdigest()


def known_of(value: Any) -> Any:
    """What is set and known of a value, inside it too."""
    if isinstance(value, dict):
        return {k: known_of(v) for k, v in value.items() if v is not None and not is_unknown(v)}
    return [known_of(v) for v in value] if isinstance(value, list) else None if is_unknown(value) else value


MADE_OF = "(made of)"  # beside an object's values until a state holds it: the digest of what it was created with


Authorize = Callable[[str, str, Values], None]
"""Given `read`, `create`, `update` or `delete`, a resource type and what is known of the object."""


def _anybody(verb: str, type_: str, values: Values) -> None:
    """Here everybody may do everything, until a control plane is asked."""


@dataclass
class Cloud:
    """One per served session; providers of the same session share it."""

    store: Store
    subscription_id: str = SUBSCRIPTION_ID
    tenant_id: str = TENANT_ID
    client_id: str = AZURE_CLI
    object_id: str = DEPLOYER_OBJECT_ID
    features: Values = field(default_factory=dict)  # the provider block's `features`: {block: {flag: bool}}
    line_breaks: LineBreaks = "kept"  # what becomes of one in a policy's attribute
    faults: Faults = field(default_factory=Faults)
    authorize: Authorize = _anybody  # raises EmulatorError where the deployer may not
    applying: threading.RLock = field(default_factory=threading.RLock)
    _claimed: set[tuple[str, str]] = field(default_factory=set)
    _created: set[tuple[str, str]] = field(default_factory=set)

    def secret(self, *parts: str, size: int = 32) -> str:
        """A key of `size` bytes (at most 64): the same for the same store and parts, and only for them."""
        mac = hmac.new(self.store.salt, "\x1f".join(parts).encode(), hashlib.sha512)
        return as_key(mac.digest()[:size])

    def find(self, type_: str, **where: Any) -> Values | None:
        """The first stored object of that type whose attributes equal `where`."""
        return next(self.every(type_, **where), None)

    def every(self, type_: str, **where: Any) -> Iterator[Values]:
        for values in self.store.of_type(type_):
            if all(values.get(name) == wanted for name, wanted in where.items()):
                yield values

    def get(self, type_: str, id_: str | None) -> Values:
        """A stored object by id, or an empty one."""
        return self.store.get(type_, id_) or {} if id_ else {}

    def feature(self, block: str, flag: str) -> bool:
        """A flag of the provider's `features`; those that are asked for are true where nothing was said."""
        said = self.features.get(block, {}).get(flag)
        return said if isinstance(said, bool) else True

    def claim(self, type_: str, id_: str | None) -> None:
        """Notes that some Terraform state holds that object.

        One that is stored but was never seen in a state was left by an interrupted apply: the next create with the same
        arguments adopts it. One that a state holds is taken: a second resource with its id is refused, and one with a
        generated id gets another (`count = 2`).
        """
        if id_:
            self._claimed.add((type_, id_))

    def is_taken(self, type_: str, id_: str, arguments: str) -> bool:
        """Whether a create with these arguments (their digest) must leave that object alone."""
        stored = self.store.get(type_, id_)
        if stored is None:
            return False
        if (type_, id_) in self._claimed or (type_, id_) in self._created:
            return True
        return stored.get(MADE_OF) != arguments

    def begin(self, provider: str) -> None:
        """A Terraform command starts: what an earlier, interrupted one created may be adopted."""
        self._created = {entry for entry in self._created if not entry[0].startswith(provider)}

    def created(self, type_: str, id_: str) -> None:
        self._created.add((type_, id_))

    def release(self, type_: str, id_: str) -> None:
        self._claimed.discard((type_, id_))
        self._created.discard((type_, id_))

    def save_claims(self) -> None:
        """Writes down which objects a state was seen to hold, so that later sessions know it too."""
        fresh = [entry for entry in self._claimed if MADE_OF in self.get(*entry)]
        if fresh:
            with self.store.transaction():
                for type_, id_ in fresh:
                    kept = {name: value for name, value in self.get(type_, id_).items() if name != MADE_OF}
                    if kept:
                        self.store.put(type_, kept)
