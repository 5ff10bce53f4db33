"""Schemas are encoded once and kept; messages are compiled from their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.azurerm import server
from emulators.azurerm.catalog import load
from emulators.azurerm.encode import encoded_schema
from emulators.azurerm.proto import tfplugin5_pb2 as pb
from emulators.azurerm.server import default_cache


def test_the_encoded_schema_is_kept(tmp_path: Path) -> None:
    """Encoding happens once; the kept copy is what Terraform gets, with all types and their flags."""
    first = encoded_schema(load("azuread"), tmp_path)
    kept = next(tmp_path.iterdir())
    assert kept.read_bytes() == first == encoded_schema(load("azuread"), tmp_path)
    response = pb.GetSchemaResponse.FromString(first)
    assert len(response.resource_schemas) == 54
    password = {a.name: a for a in response.resource_schemas["azuread_user"].block.attributes}["password"]
    assert (password.type, password.sensitive, password.optional, password.computed) == (b'"string"', True, True, True)


def test_an_installed_one_keeps_nothing_beside_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wheel's folder may be read-only, and is nobody's cache."""
    monkeypatch.setattr(server, "__file__", str(tmp_path / "site-packages" / "emulators" / "azurerm" / "server.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_cache() == tmp_path / "cache" / "azurerm-emulator"


def test_messages_are_compiled_from_the_proto_file(tmp_path: Path) -> None:
    """The committed module is what the compiler makes of tfplugin5.proto."""
    from emulators.azurerm.proto.__main__ import HERE, compile_to

    assert compile_to(tmp_path) == 0
    compiled = (tmp_path / "tfplugin5_pb2.py").read_text(encoding="utf-8")
    assert _descriptor(compiled) == _descriptor((HERE / "tfplugin5_pb2.py").read_text(encoding="utf-8"))


def _descriptor(module: str) -> str:
    return next(line for line in module.splitlines() if line.startswith("DESCRIPTOR"))
