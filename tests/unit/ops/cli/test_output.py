"""What a person sees, on a terminal and in a log."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from ops.cli import changes, output
from ops.errors import InterruptError


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A log: no terminal."""
    return on(monkeypatch, width=200, terminal=False)


def plain(text: io.StringIO) -> list[str]:
    """The lines without their styles."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue()).splitlines()


def on(monkeypatch: pytest.MonkeyPatch, *, width: int, terminal: bool) -> io.StringIO:
    text = io.StringIO()
    made = output.SpinnerEndingConsole(file=text, width=width, force_terminal=terminal, no_color=True, highlight=False)
    monkeypatch.setattr(output, "console", made)
    monkeypatch.delenv("CI", raising=False)
    return text


def test_a_step_says_its_result_once_in_a_log(shown: io.StringIO) -> None:
    with output.step("stage 1") as result:
        result.append("58 to create")
    assert shown.getvalue() == "stage 1                58 to create\n"


def test_a_step_that_goes_on_says_so_in_a_log(shown: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline's log stays alive while API Management is made, and quiet otherwise."""
    monkeypatch.setattr(output, "_HEARTBEAT", 0.01)
    with output.step("stage 2 apply"):
        while "…" not in shown.getvalue():
            pass
    assert "stage 2 apply          … 0 s\n" in shown.getvalue()


def test_a_step_that_fails_says_where(shown: io.StringIO) -> None:
    with pytest.raises(ValueError, match="why"), output.step("stage 2 apply"):
        raise ValueError("why")
    assert shown.getvalue() == "stage 2 apply          failed\n"


def test_an_address_stays_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal words wrap, and what is copied does not."""
    text = on(monkeypatch, width=40, terminal=True)
    url = "https://apim-mcp-dev.azure-api.net/mongodb/mcp"
    output.facts([("endpoint", url)])
    output.error(f"nothing answers at {url}; run `invoke deploy`")
    lines = [line.strip() for line in text.getvalue().splitlines()]
    assert sum(url in line for line in lines) == 2
    assert len(lines) > 3


def test_an_address_too_long_for_its_place_stays_beside_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of its own would not hold it either."""
    text = on(monkeypatch, width=30, terminal=True)
    output.facts([("authority", "http://127.0.0.1:8081/7b7a1a5e/v2.0"), ("scope", "b")])
    assert plain(text) == ["authority  http://127.0.0.1:8081/7b7a1a5e/v2.0", "scope      b"]


def test_a_finding_is_a_line_for_what_is_claimed_and_one_for_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal; in a log it is one line."""
    found = [("pass", "pkce", "S256 is advertised", "S256"), ("not run", "vault", "it answers nobody", "only on Azure")]
    text = on(monkeypatch, width=80, terminal=True)
    output.findings(found)
    assert plain(text) == [
        "pass     pkce   S256 is advertised",
        "                S256",
        "not run  vault  it answers nobody",
        "                only on Azure",
    ]
    log = on(monkeypatch, width=200, terminal=False)
    output.findings(found)
    assert log.getvalue().splitlines()[1] == "not run  vault  it answers nobody: only on Azure"


def test_markup_in_what_is_shown_is_only_text(shown: io.StringIO) -> None:
    output.error("settings.env line [bold]3[/bold] is wrong")
    output.say('module.servers["a"]')
    assert shown.getvalue() == 'error: settings.env line [bold]3[/bold] is wrong\nmodule.servers["a"]\n'


def test_a_summary_tells_what_comes_next(shown: io.StringIO) -> None:
    output.summary("deployed", [("invoke status", "what runs"), ("invoke logs", "why not")])
    assert [line.split() for line in shown.getvalue().splitlines()] == [
        ["deployed"],
        ["invoke", "status", "what", "runs"],
        ["invoke", "logs", "why", "not"],
    ]


def test_what_is_destroyed_is_named_and_first() -> None:
    many = {f'module.network["this"].azurerm_subnet.this["s{n}"]': "create" for n in range(20)}
    rows = changes.rows({**many, 'module.servers["a"].azurerm_container_group.this': "replace", "x.y": "update"})
    assert rows == [
        ("replace", "servers a", "container_group"),
        ("update", "stage", "x.y"),
        ("create", "network", "20×subnet"),
    ]


def test_few_creations_are_named_each() -> None:
    rows = changes.rows(
        {
            'module.apim.azurerm_api_management_backend.slot["mongodb-admin-a"]': "create",
            'azurerm_key_vault_secret.connection_strings["read-only-primary"]': "create",
            'module.apim.azurerm_public_ip.this["this"]': "create",
        }
    )
    assert rows == [
        ("create", "apim", "api_management_backend slot mongodb-admin-a"),
        ("create", "apim", "public_ip"),
        ("create", "stage", "key_vault_secret connection_strings read-only-primary"),
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [(KeyboardInterrupt(), "interrupted"), (InterruptError("x"), "interrupted"), (SystemExit(1), "failed")],
)
def test_ctrl_c_is_no_failure(shown: io.StringIO, error: BaseException, said: str) -> None:
    with pytest.raises(type(error)), output.step("stage 2 apply"):
        raise error
    assert shown.getvalue() == f"stage 2 apply          {said}\n"


def test_a_table_in_a_pipe_is_plain_lines(shown: io.StringIO) -> None:
    """Nothing is folded, and no line ends in blanks, so that it can be searched, cut and compared."""
    long = "x" * 300
    output.table("title", ("action", "resource"), [("create", long), ("delete", "y")])
    assert plain(shown) == ["title", "action  resource", f"create  {long}", "delete  y"]


def test_a_table_on_a_terminal_is_as_wide_as_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = on(monkeypatch, width=40, terminal=True)
    output.table("", ("action", "resource"), [("create", "x" * 60)])
    assert max(len(line) for line in plain(text)) <= 40


def test_long_times_are_told_in_minutes(shown: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Azure's are."""
    times = iter([0.0, 2470.4, 2470.4])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(output, "_ticking", lambda *_: contextlib.nullcontext())
    with output.step("stage 2 apply"):
        pass
    assert shown.getvalue() == "stage 2 apply          done (41 min 10 s)\n"


def test_what_goes_with_its_contents_says_so() -> None:
    """A row that looks like any other is deployed like any other; what stays, and what holds nothing, says nothing."""
    collection = 'module.cosmos[0].azurerm_cosmosdb_mongo_collection.this["archive/old"]'
    gone = {
        collection: "delete",
        'module.cosmos[0].azurerm_cosmosdb_mongo_database.this["archive"]': "replace",
        "module.documentdb[0].azurerm_mongo_cluster.this": "delete",
        "module.acr.azurerm_container_registry.this": "replace",
    }
    kept = {"module.cosmos[0].azurerm_cosmosdb_account.this": "update", "azurerm_role_assignment.x": "delete"}
    assert sorted(row[2] for row in changes.rows({**gone, **kept})) == [
        "container_registry, with every image",
        "cosmosdb_account",
        "cosmosdb_mongo_collection archive/old, with every document",
        "cosmosdb_mongo_database archive, with every document",
        "mongo_cluster, with every document",
        "role_assignment x",
    ]
    assert changes.lost({collection: "delete", **kept}) == [
        "cosmosdb_mongo_collection archive/old, with every document"
    ]
    assert changes.lost({collection: "create"}) == changes.lost({collection: "update"}) == []
