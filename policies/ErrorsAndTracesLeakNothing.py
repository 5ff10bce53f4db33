"""CKV_MCP_23: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import POLICY_DOCUMENTS, Policy, policy_xml

#: What a trace must not be made of: it stays in logs that more people read than may call.
CARRIED = re.compile(r"Headers|\.Body|AsJwt|RawData|MatchedParameters|\.Query|LastError")
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
        traced = any(document.find(f".//{tag}") is not None for tag in ("log-to-eventhub", "emit-metric")) or any(
            CARRIED.search(" ".join(trace.itertext())) for trace in document.iter("trace")
        )
        return not traced and not INNER.search(text)


check = ErrorsAndTracesLeakNothing()
