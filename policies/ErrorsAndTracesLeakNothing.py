"""CKV_MCP_23: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import POLICY_DOCUMENTS, Policy, policy_xml

INNER = re.compile(r"LastError\.(Message|Path|PolicyId|Scope|Section)|StackTrace|Jwt\)?[^;]*\.ToString\(\)")


class ErrorsAndTracesLeakNothing(Policy):
    id = "CKV_MCP_23"
    summary = "Answers and traces carry neither the gateway's inner errors nor a token"
    severity_name = "MEDIUM"
    resources = POLICY_DOCUMENTS
    guideline = "LastError.Message names hosts and expected values; a trace keeps what passes through it."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        attributes = [
            value for element in document.iter() for name, value in element.attrib.items() if name != "condition"
        ]
        text = " ".join([*document.itertext(), *attributes])
        traced = any(document.find(f".//{tag}") is not None for tag in ("trace", "log-to-eventhub", "emit-metric"))
        return not traced and not INNER.search(text)


check = ErrorsAndTracesLeakNothing()
