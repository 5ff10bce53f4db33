"""CKV_MCP_3: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from compute import KINDS, containers
from policy_base import Policy, unresolved, unwrap

PINNED = re.compile(r"^[a-z0-9]+\.azurecr\.io/[a-z0-9._/-]+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w][\w.-]{0,127})$")


class ContainerImageIsPinned(Policy):
    id = "CKV_MCP_3"
    summary = "Container images come from our registry, by digest or by a tag that is not latest"
    resources = KINDS
    guideline = "`latest` says neither what runs nor what to roll back to; another registry's image is somebody else's."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        images = [unwrap(container.get("image")) for container in containers(values)]
        known = [image for image in images if not unresolved(image)]
        if not all(PINNED.match(image) for image in known):
            return False
        return True if known else None


check = ContainerImageIsPinned()
