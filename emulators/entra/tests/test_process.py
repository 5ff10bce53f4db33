"""Configuration, log lines, and the table of errors."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from emulators.base.errors import EmulatorError
from emulators.base.state import State
from emulators.entra.config import Config
from emulators.entra.errors import KINDS, EntraError, body
from emulators.entra.tests.driver import CLIENT, GATEWAY, SECRET, TENANT, VERIFIER, Driver, deployment

USER = {
    "key": "crowd",
    "object_id": "11111111-aaaa-4aaa-8aaa-000000000009",
    "mail": "c@x",
    "name": "C",
    "extra_groups": 201,
}


def config(tmp_path: Path, **changes: object) -> Config:
    State(tuple(deployment())).dump(tmp_path / "state.json")
    document = {"state": str(tmp_path / "state.json"), "data_dir": str(tmp_path), **changes}
    (tmp_path / "config.json").write_text(json.dumps(document), encoding="utf-8")
    return Config.load(tmp_path / "config.json")


def test_a_configuration_is_read_whole(tmp_path: Path) -> None:
    """Ports, identity hosts, extra users; the directory comes from the state file."""
    found = config(tmp_path, port=0, identity_hosts={SECRET: [GATEWAY.upper()]}, users=[USER])
    assert (found.host, found.port, found.identity_hosts) == ("127.0.0.1", 0, {SECRET: frozenset({GATEWAY})})
    directory = found.read_directory()
    assert (directory.tenant_id, directory.users[3].extra_groups) == (TENANT, 201)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ports": 1}, "unknown key 'ports'"),
        ({"state": ""}, "needs `state` or `directory`, and not both"),
        ({"directory": "d.json"}, "needs `state` or `directory`, and not both"),
        ({"state": "", "directory": "d.json", "users": [USER]}, "`users_may_consent` belong into that file"),
        ({"users": [{"key": "x"}]}, "users .* need key"),
        ({"trusted_issuers": {"https://i": "https://login.example/keys"}}, "address on 127.0.0.1"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    """It names the key."""
    with pytest.raises(EmulatorError, match=sentence):
        config(tmp_path, **changes)


def test_a_missing_configuration_is_one_sentence(tmp_path: Path) -> None:
    """With the path."""
    with pytest.raises(EmulatorError, match=r"nowhere\.json"):
        Config.load(tmp_path / "nowhere.json")


def test_nothing_secret_is_logged(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """One line per request: method, path, status, a code. No code, token, verifier, state or secret."""
    caplog.set_level(logging.DEBUG, logger="emulators.entra")
    code = driver.code()
    tokens = driver.redeem(code).json()
    driver.identity()
    driver.token(grant_type="client_credentials", client_id=CLIENT, client_secret="right-secret")
    logged = [record.getMessage() for record in caplog.records if record.name == "emulators.entra"]
    text = "\n".join(logged)
    assert any("grant=authorization_code" in line for line in logged)
    for secret in (code, VERIFIER, SECRET, "right-secret", "s1 ", tokens["access_token"], tokens["refresh_token"]):
        assert secret not in text


def test_being_asked_for_health_is_not_logged(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """Once a second, it would bury what people did."""
    caplog.set_level(logging.INFO, logger="emulators.entra")
    assert driver.http.get("/healthz").status_code == 200
    driver.http.get("/nowhere")
    logged = [record.getMessage() for record in caplog.records if record.name == "emulators.entra"]
    assert [line for line in logged if "healthz" in line] == []
    assert any("/nowhere" in line for line in logged)


def test_a_log_line_stays_one_line(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks in a path or grant type are shown, not written."""
    caplog.set_level(logging.INFO, logger="emulators.entra")
    driver.http.get("/%0aforged/v2.0/.well-known/openid-configuration")
    driver.token(grant_type="a\nforged")
    lines = [record.getMessage() for record in caplog.records if record.name == "emulators.entra"]
    assert len(lines) == 2
    assert not any("\n" in line for line in lines)


def test_every_code_has_a_sentence_without_gaps_left() -> None:
    """Each kind can be raised with its own details, and its answer has Entra's shape."""
    for code, kind in KINDS.items():
        details = dict.fromkeys(re.findall(r"{(\w+)}", kind.text), "x")
        error = EntraError(code, **details)
        assert error.message.startswith(f"AADSTS{code}: ")
        answer = body(error, 1_800_000_000.0)
        assert (answer["error_codes"], answer["timestamp"]) == ([code], "2027-01-15 08:00:00Z")
        assert "Trace ID: " in answer["error_description"]


def test_the_readme_lists_every_code() -> None:
    """So that the list in FIDELITY.md is true."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    listed = {int(code) for code in re.findall(r"\b(\d{5,7})\b", readme)}
    assert set(KINDS) - listed == set()
