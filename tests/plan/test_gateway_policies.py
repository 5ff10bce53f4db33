"""Policy text, as Terraform rendered it: the provider passes it on unread, and Azure refuses it only at apply."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from emulators.apim import check
from emulators.azurerm import policy_text
from tests.plan.bench import ENVIRONMENTS, TERRAFORM
from tests.plan.conftest import Planned
from tests.plan.inventory import resources

#: The environments, and the case with slots and lists of tools.
PLANS = [*ENVIRONMENTS, "two-servers"]

type_of = re.compile(r"\.(azurerm_\w+)\.")


def _by_type(plan: dict[str, Any]) -> Callable[[str], dict[str, dict[str, Any]]]:
    planned = resources(plan)
    return lambda type_: {a: v for a, v in planned.items() if (found := type_of.search(a)) and found.group(1) == type_}


def _texts(plan: dict[str, Any]) -> dict[str, str]:
    """Policy text by resource address; unknown text would be missing here and is an error below."""
    found = {address: values.get("xml_content") for address, values in resources(plan).items() if "policy" in address}
    found |= {a: v.get("value") for a, v in _by_type(plan)("azurerm_api_management_policy_fragment").items()}
    unknown = [address for address, text in found.items() if text is None]
    assert not unknown, f"policy text must be known at plan time, so that it can be checked: {unknown}"
    return {address: str(text) for address, text in found.items()}


def _attributes(text: str, element: str, attribute: str) -> set[str]:
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    return {value for one in root.iter(element) if (value := one.get(attribute)) and not value.startswith("@")}


@pytest.mark.parametrize("environment", PLANS)
def test_every_policy_is_known_and_well_formed(planned: Planned, environment: str) -> None:
    """Each rendered policy parses as XML."""
    texts = _texts(planned(2, environment)._raw)
    assert len(texts) > 5
    for text in texts.values():
        etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))


@pytest.mark.parametrize("environment", PLANS)
def test_every_policy_would_run(planned: Planned, environment: str, tmp_path: Path) -> None:
    """`python -m emulators.apim check` of what Terraform renders: by the schema of Microsoft's policy reference."""
    for address, text in _texts(planned(2, environment)._raw).items():
        (tmp_path / f"{re.sub('[^a-zA-Z0-9_.-]', '_', address)}.xml").write_text(text, encoding="utf-8")
    assert [(str(one.path), [str(p) for p in one.problems]) for one in check.report([tmp_path]) if not one.runs] == []


TEMPLATES = sorted(TERRAFORM.glob("modules/apim/policies/*.xml.tftpl"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_attributes_stand_in_double_quotes(template: Path) -> None:
    """API Management stores them so, and the provider's comparison does not take one quote for the other."""
    assert re.findall(r"\s[\w-]+='", template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line_breaks", ["kept", "spaces"])
@pytest.mark.parametrize("environment", PLANS)
def test_what_api_management_gives_back_is_what_was_written(
    planned: Planned, environment: str, line_breaks: policy_text.LineBreaks
) -> None:
    """Otherwise every plan would rewrite live policies; whichever way line breaks in attributes are stored."""
    by_type = _by_type(planned(2, environment)._raw)
    differing, seen = [], 0
    for type_, name in policy_text.ATTRIBUTE.items():
        for address, values in by_type(type_).items():
            seen += 1
            back = policy_text.given_back(type_, values, line_breaks)
            differing += [] if policy_text.same(type_, back[name], values[name]) else [address]
    assert differing == []
    assert seen > 5


@pytest.mark.parametrize("environment", PLANS)
def test_named_values_exist(planned: Planned, environment: str) -> None:
    """Every {{named value}} in a policy is one that the same plan makes."""
    plan = planned(2, environment)._raw
    made = {str(v["name"]) for v in _by_type(plan)("azurerm_api_management_named_value").values()}
    used = {name for text in _texts(plan).values() for name in re.findall(r"\{\{([^{}]+)\}\}", text)}
    assert used
    assert used - made == set()


@pytest.mark.parametrize("environment", PLANS)
def test_fragments_exist(planned: Planned, environment: str) -> None:
    """Every included fragment is one that the same plan makes."""
    plan = planned(2, environment)._raw
    made = {str(v["name"]) for v in _by_type(plan)("azurerm_api_management_policy_fragment").values()}
    used = {name for text in _texts(plan).values() for name in _attributes(text, "include-fragment", "fragment-id")}
    assert used
    assert used - made == set()


@pytest.mark.parametrize("environment", PLANS)
def test_backends_exist_and_lead_to_container_groups(planned: Planned, environment: str) -> None:
    """Every backend that a policy picks is made, and its host is a slot's DNS record, or that of a server elsewhere."""
    plan = planned(2, environment)._raw
    made = {str(v["name"]): str(v["url"]) for v in _by_type(plan)("azurerm_api_management_backend").values()}
    used = {name for text in _texts(plan).values() for name in _attributes(text, "set-backend-service", "backend-id")}
    records = {str(v["name"]) for v in _by_type(plan)("azurerm_private_dns_a_record").values()}
    assert used
    assert used - set(made) == set()
    elsewhere = {name for name in made if name.endswith("-remote")}
    assert all(made[name].startswith("https://") for name in elsewhere)
    slots = {url for name, url in made.items() if name not in elsewhere}
    assert {re.sub(r"^http://([^.]+)\.mcp\.internal:\d+$", r"\1", url) for url in slots} == records


@pytest.mark.parametrize("environment", ["prod"])
def test_only_readers_calls_are_all_repeated(planned: Planned, environment: str) -> None:
    """In production, with two slots: a key that cannot write makes every call repeatable, and no other one does."""
    text = _texts(planned(2, environment)._raw)['module.apim.azurerm_api_management_api_policy.mcp["mongodb"]']
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    found = {
        str(when.get("condition")).split('"')[-2]: [
            one.get("value") == "@(true)" for one in when.iter("set-variable") if one.get("name") == "repeatable"
        ]
        for when in root.findall("inbound/choose/when")
        if when.find("set-backend-service") is not None
    }
    assert found == {"admin": [False], "reader": [True]}
