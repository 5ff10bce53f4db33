"""The pictures: stale ones are noticed, and one that would leave out something planned is refused."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tools import diagrams
from tools.diagrams import request_path, svg, system
from tools.diagrams.plans import DiagramError, Plans

PICTURES = ["network.svg", "request-path.svg", "system.svg"]


def plan(*resources: tuple[str, str]) -> Plans:
    planned = [{"mode": "managed", "address": address, "type": kind, "values": {}} for address, kind in resources]
    return Plans([{"planned_values": {"root_module": {"resources": planned}}}])


def test_a_picture_that_differs_or_is_missing_is_stale() -> None:
    same = (diagrams.FOLDER / "network.svg").read_text(encoding="utf-8")
    assert diagrams.stale({"network.svg": same, "system.svg": "<svg/>", "new.svg": "<svg/>"}) == [
        "system.svg",
        "new.svg",
    ]


def test_a_module_without_a_part_in_the_picture_is_refused() -> None:
    """A module that is new stops the drawing, by name."""
    with pytest.raises(DiagramError, match="redis is in no part of the system picture"):
        system.draw(plan(("module.redis.azurerm_redis_cache.this", "azurerm_redis_cache")))


def test_every_module_of_the_stages_has_a_part() -> None:
    """Also those that prod does not plan: whoever switches one on can still draw."""
    stages = [path.read_text(encoding="utf-8") for path in diagrams.FOLDER.parents[1].glob("terraform/stage[12]/*.tf")]
    made = {name for text in stages for name in re.findall(r'^module "(\w+)"', text, re.MULTILINE)} - {"names"}
    made |= {
        name for text in stages for name in re.findall(r'^resource "((?:azurerm|azuread)_\w+)"', text, re.MULTILINE)
    }
    assert sorted(made - system.PARTS.keys()) == []


@pytest.mark.parametrize("condition", ["@(a &amp;&amp; b == &quot;c&quot;)", '@(a && b == "c")'])
def test_policies_are_read_as_written_and_as_azurerm_gives_them_back(condition: str) -> None:
    """The plan of a platform that runs has them un-escaped, and `python -m tools.diagrams` draws from such plans."""
    assert request_path.parsed(f'<when condition="{condition}" />').get("condition") == '@(a && b == "c")'


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_well_formed_light_dark_and_narrow(name: str) -> None:
    """It has words for screen readers, colours for both schemes, no script, and fits a page."""
    text = (diagrams.FOLDER / name).read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    children = [child.tag.rpartition("}")[2] for child in root]
    assert children[:2] == ["title", "desc"]
    assert float(root.attrib["width"]) <= 760
    assert "prefers-color-scheme:dark" in text
    assert "<script" not in text


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_leaves_the_card(name: str) -> None:
    """By the generous estimate of a text's width, every line ends inside the picture."""
    root = ElementTree.fromstring((diagrams.FOLDER / name).read_text(encoding="utf-8"))
    width = float(root.attrib["width"])
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        words, x = text.text or "", float(text.attrib["x"])
        size = svg.text_width(words, 14 if text.attrib["class"] == "title" else 12)
        shift = {"start": 0.0, "middle": size / 2, "end": size}[text.attrib["text-anchor"]]
        assert x - shift > 0, words
        assert x - shift + size < width, words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("plain", "plain"),
        ('@((string)context.Variables["tier"] == "admin")', 'tier == "admin"'),
        ("@(429)", "429"),
        ('@("quote " + context.RequestId.ToString() + " to us")', "quote {RequestId} to us"),
        ('@{ return token.Claims.GetValueOrDefault("oid", ""); }', "something computed from oid"),
    ],
)
def test_an_expression_is_shown_without_its_casts(code: str, words: str) -> None:
    assert request_path.expression(code) == words


def test_long_words_are_not_broken() -> None:
    assert svg.wrap("a https://login.example/very/long b", 40) == ["a", "https://login.example/very/long", "b"]
    assert re.sub(r"\s", "", "".join(svg.wrap("x " * 50, 60))) == "x" * 50
