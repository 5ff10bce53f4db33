from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from mongo_db_server import __main__

Use = Callable[[Mapping[str, str]], None]


def test_wrong_setting_ends_with_exit_code_2(
    environment: dict[str, str], use_environment: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container with a wrong setting stops at once and says which one."""
    use_environment(environment | {"MCP_TIER": "Owner"})
    assert __main__.main() == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["message"].startswith("MCP_TIER is malformed: ")
