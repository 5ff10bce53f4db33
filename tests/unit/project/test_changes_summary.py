"""The table at the end of `nox -s changes`."""

from __future__ import annotations

from tests.changes import summary
from tests.changes.summary import Told

TOLD = [
    Told("gateway: a domain", "applied", "taking it back is refused"),
    Told("gateway: another tier", "failed"),
    Told("names: another region", "refused at plan", "location cannot change | from here"),
]


def test_each_set_is_counted_and_all_of_them() -> None:
    assert summary.table(TOLD) == [
        "changes  applied  refused at plan  failed",
        "gateway  1        0                1",
        "names    0        1                0",
        "all      1        1                1",
    ]


def test_the_page_has_each_change_with_what_was_said() -> None:
    """A pipe in it does not end its cell."""
    page = summary.page(TOLD).splitlines()
    assert "| all | 1 | 1 | 1 |" in page
    assert "| names: another region | refused at plan | location cannot change \\| from here |" in page


def test_what_tells_nothing_has_failed() -> None:
    assert Told("live: a slot").outcome == "failed"
