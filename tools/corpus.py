"""How many of the policies that people keep in public would run: `python -m tools.corpus FOLDER`.

FOLDER holds a checkout of each repository of REPOSITORIES, in a folder of its own whose name may be anything; none is
fetched here. Policies are taken from XML, Terraform, Bicep, Markdown, notebooks and texts of JSON. What a template
would put in is filled with a named value, and a document that stands in several places counts once.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emulators.apim.check import report
from emulators.apim.policy_sources import documents
from emulators.base.errors import EmulatorError

#: Read on 2026-11-30.
REPOSITORIES = [
    "AMNEngineering/newrelic-mcp-apim",
    "Azure/api-management-policy-snippets",
    "Azure/apiops",
    "Azure/azure-api-management-policy-toolkit",
    "Azure-Samples/AI-Gateway",
    "Azure-Samples/Apim-Samples",
    "Azure-Samples/ai-hub-gateway-solution-accelerator",
    "Azure-Samples/apim-ai-gateway-level-up",
    "Azure-Samples/dynamic-apim-policies",
    "Azure-Samples/openai-apim-lb",
    "Azure-Samples/remote-mcp-apim-functions-python",
    "CrewAakash/aoai-apim-policies",
    "Sunrise-Technologies-Enterprise/remote-mcp-apim-appservice-dotnet",
    "annaji-msft/remote-mcp-apim-functions",
    "anotherRedbeard/apim-mcp-secure",
    "apc-n-orita/apim-mcp-oauth",
    "aundykmahesh/azure-apim-mcp-agent",
    "blackchoey/remote-mcp-apim-oauth-prm",
    "bmoussaud/mcp-azure-apim",
    "calvinchengx/azure-apim-emulator",
    "ctava-msft/apim-mcp-aks",
    "ctava-msft/apim-mcp-functions",
    "curityio/azure-apim-oauth-proxy",
    "jackweldonweb/apim-mcp-terraform",
    "karpikpl/foundry-apim-mcp-server",
    "kkgthb/az-apim-mcp-gateway-01",
    "localden/remote-auth-mcp-apim-py",
    "microsoft/AzureOpenAI-with-APIM",
    "mizti/mcp-apim-functions-sample",
    "number-phi/APIM-MCP",
    "okaneconnor/APIM-MCP",
    "ozgurkarahan/azure-apim-mcp-server",
    "pablocast/gbb-ai-mcp-with-apim-aifoundry",
    "pogorman/mcp-apim",
    "prjhawar/remote-mcp-apim-managed-connections",
    "ronaldbosma/protect-apim-with-oauth",
    "sidkadouc/apim-mcp-auth-gateway",
    "trentkim-ms-ats/apim-mcp-workshop",
    "yanivno/apim-policies",
]

_SUFFIXES = (".xml", ".bicep", ".tf", ".md", ".json", ".ipynb")
_POLICY = re.compile(r"<(?:policies|fragment)\b")
_WHOLE = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:policies|fragment)\b", re.DOTALL)
#: What makes a document one about MCP, unless its path says so.
_MCP = re.compile(r"/mcp|tools/call|modelcontextprotocol", re.IGNORECASE)
_TEMPLATES = re.compile(r"\$\{[^}]*\}|(?<=[\">])\{[A-Za-z_-]+\}(?=[\"<])")


@dataclass
class Policy:
    """One document, wherever it stands; `mcp` where any of those places is about MCP."""

    runs: bool
    mcp: bool


def policies(folder: Path) -> dict[str, Policy]:
    """The different documents below a folder, by their text without its white space."""
    found: dict[str, Policy] = {}
    with tempfile.TemporaryDirectory() as scratch:
        single = Path(scratch) / "policy.xml"
        for path in sorted(folder.rglob("*")):
            if path.suffix not in _SUFFIXES or not path.is_file() or "node_modules" in path.parts:
                continue
            for text in _texts(path):
                filled = _TEMPLATES.sub("{{placeholder}}", text)
                mcp = "mcp" in str(path.relative_to(folder)).lower() or _MCP.search(filled) is not None
                key = " ".join(filled.split())
                if key not in found:
                    single.write_text(filled, encoding="utf-8")
                    found[key] = Policy(_runs(single), mcp)
                found[key].mcp |= mcp
    return found


def _texts(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.suffix == ".json":
        try:
            candidates = [one for one in _strings(json.loads(text)) if _WHOLE.match(one)]
        except (ValueError, RecursionError):
            return
    elif path.suffix == ".xml" and not _POLICY.search(text):
        return
    else:
        candidates = [document.text for document in documents(path, text)]
    yield from (one for one in candidates if _POLICY.search(one))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _runs(path: Path) -> bool:
    try:
        (found,) = report([path])
    except EmulatorError:
        return False
    return not found.problems


def _share(chosen: list[Policy]) -> str:
    run = sum(one.runs for one in chosen)
    return f"{run} of {len(chosen)} would run ({100 * run / max(1, len(chosen)):.1f} %)"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.corpus", description=__doc__)
    parser.add_argument("folder", type=Path, help="with a checkout of each of: " + " ".join(REPOSITORIES))
    folder: Path = parser.parse_args().folder
    if not folder.is_dir():
        parser.error(f"{folder} is no folder: make one with a checkout of each repository")
    found = list(policies(folder).values())
    print(f"different documents: {_share(found)}")
    print(f"of those about MCP:  {_share([one for one in found if one.mcp])}")


if __name__ == "__main__":
    main()
