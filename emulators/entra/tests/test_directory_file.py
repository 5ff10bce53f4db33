"""The directory as a file: read whole, refused by place, and taken over before the next request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulators.base.errors import EmulatorError
from emulators.base.files import write_private
from emulators.base.well_known import service_principal
from emulators.entra.app import create_app
from emulators.entra.config import Config
from emulators.entra.directory_file import DirectoryFile, parse
from emulators.entra.issuer import Issuer
from emulators.entra.tests.driver import BASE, KEYS, claims

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def example() -> dict[str, Any]:
    """The directory that the README shows."""
    shown = re.search(r"`directory\.json`.*?```json\n(.*?)```", README, re.DOTALL)
    assert shown
    found: dict[str, Any] = json.loads(shown[1])
    return found


def serve(path: Path) -> TestClient:
    config = Config.parse({"directory": str(path), "data_dir": "unused"})
    issuer = Issuer(BASE, config.read_directory(), KEYS)
    return TestClient(create_app(issuer, DirectoryFile(path, issuer)), base_url=BASE)


def ask(http: TestClient, secret: str, api: str = "api://orders") -> Any:
    """A token for the application of the README, as its example asks for it."""
    daemon = example()["applications"][1]["client_id"]
    form = {"grant_type": "client_credentials", "client_id": daemon, "client_secret": secret}
    return http.post(f"/{example()['tenant_id']}/oauth2/v2.0/token", data={**form, "scope": f"{api}/.default"})


def test_the_readmes_directory_gives_the_token_that_it_says(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    path.write_text(json.dumps(example()), encoding="utf-8")
    with serve(path) as http:
        answer = ask(http, "only-for-this-machine")
    assert answer.status_code == 200, answer.text
    found = claims(answer.json()["access_token"])
    assert (found["roles"], found["aud"]) == (["Orders.Read"], example()["applications"][0]["client_id"])


def test_a_change_counts_for_the_very_next_request(tmp_path: Path) -> None:
    path, document = tmp_path / "directory.json", example()
    write_private(path, json.dumps(document))
    with serve(path) as http:
        assert ask(http, "another").status_code == 401
        document["applications"][1]["secrets"] = ["another"]
        write_private(path, json.dumps(document))
        assert ask(http, "another").status_code == 200
        write_private(path, "{")  # it cannot be taken over, so what was taken over last goes on
        assert ask(http, "another").status_code == 200
        path.unlink()
        assert ask(http, "another").status_code == 200


def test_microsofts_own_applications_are_there_and_can_be_changed() -> None:
    graph = "00000003-0000-0000-c000-000000000000"
    role = {"id": "r", "value": "Group.Create", "member_types": ["Application"]}
    found = parse({"tenant_id": "t", "applications": [{"client_id": graph, "roles": [role]}]})
    own = found.applications[graph]
    assert (own.name, [r.value for r in own.roles], own.first_party) == ("Microsoft Graph", ["Group.Create"], True)
    assert found.service_principals[graph].object_id == service_principal(graph)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "the directory file lacks 'tenant_id'"),
        ({"tenant_id": "t", "people": []}, "unknown key 'people'"),
        ({"tenant_id": "t", "users": {}}, "`users` of the directory file must be a list"),
        ({"tenant_id": "t", "users": [{"mail": "a@b", "name": "A"}]}, r"users\[0\] .* lacks 'object_id'"),
        ({"tenant_id": "t", "groups": [{"object_id": "g", "name": "G", "member": []}]}, r"groups\[0\] .*'member'"),
        ({"tenant_id": "t", "groups": [{"object_id": "g", "name": "G", "members": ["x"]}]}, "has member 'x'"),
        (
            {"tenant_id": "t", "applications": [{"client_id": "c", "name": "C", "redirect_uris": {"phone": []}}]},
            r"applications\[0\] .* lacks 'phone'",
        ),
        ({"tenant_id": "t", "assignments": [{"principal_id": 7, "resource_id": "r"}]}, "7 is no id"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EmulatorError, match=sentence):
        parse(document)
