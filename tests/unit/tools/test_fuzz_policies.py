"""The fuzzing session of policies: it judges by the rows of the reference, and finds what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.base.policy_xml import parse
from tools.fuzz import policies
from tools.fuzz.policies import Documents, Session, outside


def test_the_same_seed_makes_the_same_documents() -> None:
    """So that a finding can be looked at again."""
    first, second = Documents(3), Documents(3)
    assert [first.next() for _ in range(50)] == [second.next() for _ in range(50)]


def test_an_expression_of_which_nothing_is_left_can_be_bent() -> None:
    """A session goes on, whatever its own mutations leave."""
    assert isinstance(Documents(1)._bent(""), str)


def test_a_policy_that_waits_does_not_hang(tmp_path: Path) -> None:
    """Its retries are run, without their waits."""
    session = Session(tmp_path)
    retry = '<retry condition="true" count="50" interval="300"><forward-request/></retry>'
    session.judge(0, f"<policies><backend>{retry}</backend></policies>")
    assert (session.outcome.findings, session.outcome.counts["answered 200"]) == ([], 1)


def test_mutants_are_judged_without_a_finding(tmp_path: Path) -> None:
    """Some load and most do not; whatever they are, each is answered."""
    made, session = Documents(5), Session(tmp_path)
    for number in range(60):
        session.judge(number, made.next())
    assert session.outcome.findings == []
    assert session.outcome.counts["refused"] + session.outcome.counts["accepted"] == 60
    assert session.outcome.counts["accepted"] > 0


@pytest.mark.parametrize(
    "text",
    [
        "<policies><nonsense/></policies>",
        "<policies x='1'/>",
        "<policies><inbound>x</inbound></policies>",
        "<policies><inbound/><inbound/></policies>",
        "<policies><inbound><base><set-method>GET</set-method></base></inbound></policies>",
        "<policies><outbound><rewrite-uri template='/x'/></outbound></policies>",
        "<policies><inbound><set-header/></inbound></policies>",
        "<policies><inbound><set-header name='a' x='1'/></inbound></policies>",
        "<policies><inbound><choose><otherwise/></choose></inbound></policies>",
        "<policies><inbound><choose><otherwise/><when condition='true'/></choose></inbound></policies>",
        "<policies><inbound><choose><when condition='true'><wait/></when></choose></inbound></policies>",
    ],
)
def test_what_the_reference_does_not_hold_is_seen(text: str) -> None:
    """By a reading of its own: the loader's mistakes are not the judge's."""
    assert list(outside(parse(text, "x"))) != []


def test_a_traceback_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the document, to be looked at."""
    monkeypatch.setattr(policies, "report", lambda paths: 1 / 0)
    monkeypatch.setattr(policies, "ROOT", tmp_path)
    monkeypatch.setattr(policies, "FOUND", tmp_path / "found")
    session = Session(tmp_path)
    session.judge(7, "<policies/>")
    assert session.outcome.findings == ["found/7.xml: ZeroDivisionError: division by zero"]
    assert (tmp_path / "found" / "7.xml").read_text() == "<policies/>"
