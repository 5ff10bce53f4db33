"""The judge reads the suite's verdicts rightly, and a baseline only improves."""

from __future__ import annotations

import pytest

from tools.judge.__main__ import count, shown, worse
from tools.judge.recorder import KINDS, judge
from tools.judge.scope import area_of, left_out


class Refused(Exception):
    code = 238


@pytest.mark.parametrize(
    ("text", "error", "verdict"),
    [
        ("", None, ("exact", None, None)),
        ("[ERROR_MISMATCH] x Expected: {'code': 14} Actual: {'code': 9}", AssertionError(), ("other_code", 14, 9)),
        ("[ERROR_MISMATCH] x Expected: {'code': 14} Actual: {'code': 238}", AssertionError(), ("refused", 14, 238)),
        ("[ERROR_MISMATCH] x Expected: {'code': 14} Actual: {'code': 1}", AssertionError(), ("crashed", 14, 1)),
        ("[UNEXPECTED_SUCCESS] x", AssertionError(), ("accepted", None, None)),
        ("[UNEXPECTED_ERROR] {'code': 2}", AssertionError(), ("failed", None, 2)),
        ("[UNEXPECTED_ERROR] {'code': 238}", AssertionError(), ("refused", None, 238)),
        ("[RESULT_MISMATCH] x", AssertionError(), ("wrong_value", None, None)),
        ("anything", Refused(), ("refused", None, 238)),
        ("anything", KeyError("x"), ("failed", None, None)),
    ],
)
def test_a_verdict_is_read_from_the_suites_words(text, error, verdict):
    assert judge(text, error) == verdict


def test_cases_are_counted_by_area(tmp_path):
    path = tmp_path / "shard.jsonl"
    path.write_text(
        '{"case": "core/operator/expressions/date/year/test_year.py::a", "kind": "exact"}\n'
        '{"case": "core/operator/stages/merge/test_merge.py::b", "kind": "failed"}\n'
    )
    table, lines = count([path])
    assert len(lines) == 2
    assert table["operator/expressions/date"]["exact"] == 1
    assert table["operator/stages"]["failed"] == 1
    assert "2 cases: 50.0% exact" in shown(table)


def _row(**counts):
    return {**dict.fromkeys(KINDS, 0), **counts}


@pytest.mark.parametrize(
    ("new", "sentences"),
    [
        (_row(exact=10), 0),
        (_row(exact=9, other_code=1), 1),
        (_row(exact=10, wrong_value=1), 1),
        (_row(exact=8, failed=2), 3),
        (_row(exact=12), 0),
    ],
)
def test_a_baseline_only_improves(new, sentences):
    assert len(worse({"stages": _row(exact=10)}, {"stages": new})) == sentences


def test_features_that_the_emulator_lacks_are_named():
    assert left_out("core/operator/query/misc/where/test_where.py::a") == "JavaScript"
    assert left_out("core/operator/query/geospatial/geoWithin/test_x.py::a") is None
    assert left_out("core/operator/stages/match/test_match.py::a") is None
    assert area_of("core/operator/stages/match/test_match.py::a") == "operator/stages"
