from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from emulators.arm import permissions
from emulators.arm.call import Answer, Call, Caller
from emulators.arm.cloud import Cloud
from emulators.arm.config import Config
from emulators.arm.errors import NotReproduced
from emulators.arm.routing import normal
from emulators.arm.web.front import SERVICES

TENANT = "33333333-3333-4333-8333-333333333333"
SUBSCRIPTION = "44444444-4444-4444-8444-444444444444"
SUB = f"/subscriptions/{SUBSCRIPTION}"
OWNER = "11111111-bbbb-4bbb-8bbb-000000000001"
CONTRIBUTOR = "11111111-bbbb-4bbb-8bbb-000000000002"
NOBODY = "11111111-bbbb-4bbb-8bbb-000000000003"
ARM, GRAPH = "management.azure.com", "graph.microsoft.com"


def person(object_id: str, key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "object_id": object_id, "mail": f"{key}@twin.example", "name": key.title(), **more}


@dataclass
class Clock:
    now: float = 1_800_000_000

    def __call__(self) -> float:
        return self.now


@dataclass
class Azure:
    """Calls services as the front end does, with its checks and without sockets."""

    cloud: Cloud
    clock: Clock
    config: Config

    def call(
        self, method: str, path: str, body: Any = None, who: str = OWNER, host: str = ARM, app: Caller | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        service = next(s for s in SERVICES if s.serves(host))
        found = service.table.find(method, normal(path), None)
        if found is None:
            raise NotReproduced(method, host, path, None)
        route, params = found
        caller = app or Caller(who, self.cloud.tenant.name_of(who), "04b07795", False, host)
        call = Call(method, host, normal(path), params, query or {}, body, caller)
        if route.action is not None:
            self.cloud.require(caller, route.action.format(**params), route.scope_of(call.path, params), route.data)
        return route.handler(self.cloud, call)

    def group(self, name: str = "rg") -> str:
        self.call("PUT", f"{SUB}/resourcegroups/{name}", {"location": "uksouth"})
        return f"{SUB}/resourceGroups/{name}"

    def assign(self, role_id: str, principal: str, scope: str = SUB, who: str = OWNER, **more: Any) -> Answer:
        name = f"00000000-0000-4000-8000-{len(self.cloud.assignments):012d}"
        properties = {"roleDefinitionId": role_id, "principalId": principal, **more}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        return self.call("PUT", path, {"properties": properties}, who)


@pytest.fixture
def azure() -> Azure:
    privileged = permissions.DIRECTORY_ROLES[permissions.PRIVILEGED_ROLE_ADMINISTRATOR]
    config = Config.parse(
        {
            "data_dir": "unused",
            "tenant_id": TENANT,
            "subscription_id": SUBSCRIPTION,
            "control_secret": "unused",
            "people": [
                person(OWNER, "owner", roles=["Owner"], directory_roles=[privileged]),
                person(CONTRIBUTOR, "contributor", roles=["Contributor"]),
                person(NOBODY, "nobody"),
            ],
            "registered_providers": ["Microsoft.ManagedIdentity", "Microsoft.Storage", "Microsoft.KeyVault"],
            "taken_names": ["sttaken"],
        }
    )
    cloud, clock = config.cloud(), Clock()
    cloud.clock = clock
    return Azure(cloud, clock, config)
