"""A pytest plugin that writes one line of JSON for each case of the suite: its name, and what kind of answer came.

The suite's own assertions say what they expected in a tag at the beginning of their text; the kinds are read from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path

import pytest

from tools.judge.scope import left_out

# In the order of the table: right; right to fail; wrong in three ways; said aloud; a fault of the emulator's own.
KINDS = ("exact", "other_code", "wrong_value", "accepted", "failed", "refused", "crashed")
_CODE = re.compile(r"'code': (-?\d+|None)")
_REFUSED = "is not supported by the MongoDB stand-in"
_CRASHED = "the MongoDB stand-in failed on"
_SUITE = "documentdb_tests/compatibility/tests/"


class Recorder:
    """Keeps this shard's cases, and writes down how each ended."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leaves out what the emulator is not judged by."""
        items[:] = [item for item in items if not left_out(case_name(item))]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call" or (report.when == "setup" and report.failed):
            self._write(item, call, report)
        return report

    def _write(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        if report.skipped or hasattr(report, "wasxfail"):
            return
        text = "" if call.excinfo is None else str(call.excinfo.value)
        if "XPASS(strict)" in str(report.longrepr):
            return
        kind, wanted, found = judge(text, None if call.excinfo is None else call.excinfo.value)
        row = {"case": case_name(item), "kind": kind, "wanted": wanted, "found": found, "text": text[:4000]}
        self._file.write(json.dumps(row) + "\n")

    def pytest_sessionfinish(self) -> None:
        self._file.close()


def case_name(item: pytest.Item) -> str:
    """The case below the suite's folder of tests, without the target's name, which pytest adds to it."""
    path = item.nodeid.removeprefix("compatibility/tests/").removeprefix(_SUITE)
    return re.sub(r"\[mongodb-?", "[", path).removesuffix("[]")


def judge(text: str, error: BaseException | None) -> tuple[str, int | None, int | None]:
    """The kind of an answer, with the code that was due and the code that came where both failed."""
    if error is None:
        return "exact", None, None
    codes = [None if code == "None" else int(code) for code in _CODE.findall(text)]
    came = getattr(error, "code", None)
    if _CRASHED in text or came == 1:
        return "crashed", None, 1
    if "[ERROR_MISMATCH]" in text and len(codes) >= 2:
        if codes[1] == 1:
            return "crashed", codes[0], 1
        return "refused" if codes[1] == 238 else "other_code", codes[0], codes[1]
    if _REFUSED in text or came == 238 or 238 in codes:
        return "refused", None, 238
    if "[UNEXPECTED_SUCCESS]" in text:
        return "accepted", None, None
    if (
        "[UNEXPECTED_ERROR]" in text
        or not isinstance(error, AssertionError)
        or "Expected success but got error" in text
    ):
        return "failed", None, next(iter(codes), came if isinstance(came, int) else None)
    return "wrong_value", None, None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the lines go."""
    parser.addoption("--judge-out", type=Path, required=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(config.getoption("--judge-out")), "judge-recorder")
