"""Schema files have the versions that the Terraform code asks for; messages are compiled from their source."""

from __future__ import annotations

import re
from pathlib import Path

from emulators.azurerm.catalog import load
from emulators.azurerm.encode import encoded_schema
from emulators.azurerm.proto import tfplugin5_pb2 as pb

REPOSITORY = Path(__file__).parents[3]
CONSTRAINT = re.compile(r'source\s*=\s*"hashicorp/(azurerm|azuread)"\s*version\s*=\s*"~> (\d+)\.(\d+)"')


def test_versions_satisfy_every_constraint() -> None:
    """Terraform does not check the version of a provider that it attaches to, so this does."""
    asked = [
        (path, *match)
        for path in sorted((REPOSITORY / "terraform").glob("*/terraform.tf"))
        for match in CONSTRAINT.findall(path.read_text(encoding="utf-8"))
    ]
    assert {name for _, name, _, _ in asked} == {"azurerm", "azuread"}
    for path, name, major, minor in asked:
        have = tuple(map(int, load(name).version.split(".")))
        assert have[0] == int(major), path
        assert have[1] >= int(minor), path


def test_the_encoded_schema_is_kept(tmp_path: Path) -> None:
    """Encoding happens once; the kept copy is what Terraform gets, with all types and their flags."""
    first = encoded_schema(load("azuread"), tmp_path)
    kept = next(tmp_path.iterdir())
    assert kept.read_bytes() == first == encoded_schema(load("azuread"), tmp_path)
    response = pb.GetSchemaResponse.FromString(first)
    assert len(response.resource_schemas) == 54
    password = {a.name: a for a in response.resource_schemas["azuread_user"].block.attributes}["password"]
    assert (password.type, password.sensitive, password.optional, password.computed) == (b'"string"', True, True, True)


def test_messages_are_compiled_from_the_proto_file(tmp_path: Path) -> None:
    """The committed module is what the compiler makes of tfplugin5.proto."""
    from emulators.azurerm.proto.__main__ import HERE, compile_to

    assert compile_to(tmp_path) == 0
    compiled = (tmp_path / "tfplugin5_pb2.py").read_text(encoding="utf-8")
    assert _descriptor(compiled) == _descriptor((HERE / "tfplugin5_pb2.py").read_text(encoding="utf-8"))


def _descriptor(module: str) -> str:
    return next(line for line in module.splitlines() if line.startswith("DESCRIPTOR"))
