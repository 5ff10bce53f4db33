"""A mistake in terraform/ shows: each case breaks one thing in a copy, deploys it, and sees the promise broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from platform_under_test import ROOT, Platform

pytestmark = pytest.mark.usefixtures("local_only")

Break = Callable[[str, str, str], None]


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[tuple[Platform, Break]]:
    """A platform of its own whose Terraform is a copy, and a function that replaces text in one file of it."""
    copy = tmp_path / "terraform"
    shutil.copytree(ROOT / "terraform", copy, ignore=shutil.ignore_patterns(".terraform"))
    variables = {
        "TERRAFORM_DIR": str(copy),
        "TWIN_HOME": str(tmp_path / "home"),
        "GATEWAY_PORT": "0",
        "ENTRA_PORT": "0",
    }

    def replace(file: str, old: str, new: str) -> None:
        path = copy / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}: correct this test"
        path.write_text(text.replace(old, new), encoding="utf-8")

    platform = Platform("local", variables)
    try:
        yield platform, replace
    finally:
        platform.invoke("destroy", "--yes", check=False)


def test_a_policy_that_forgets_the_audience_check_is_caught(broken: tuple[Platform, Break]) -> None:
    """Policy: without the scope check the deployed gateway differs, and its smoke test or the caller's test says so."""
    platform, replace = broken
    replace(
        "modules/apim/policies/fragment-mcp-upstream.xml.tftpl",
        '<authentication-managed-identity resource="{{backend-app-id}}" client-id="{{gateway-identity-client-id}}" />',
        "",
    )
    failed = platform.invoke("deploy", check=False)
    assert failed.returncode != 0
    assert "401" in failed.stderr or "refused" in failed.stderr or "admin" in failed.stderr, failed.stderr


def test_a_misnamed_app_role_is_caught(broken: tuple[Platform, Break]) -> None:
    """App role: renamed in the registration and its assignment, but not where the policy reads it."""
    platform, replace = broken
    replace("stage2/sign-in.tf", '"Mcp.Admin"', '"Mcp.Administrator"')
    failed = platform.invoke("deploy", check=False)
    assert failed.returncode != 0
    assert platform.call("tools/list", user="admin").status == 403


def test_a_missing_role_assignment_is_caught(broken: tuple[Platform, Break]) -> None:
    """Role assignment: the gateway's identity without Gateway.Invoke gets no token for the servers."""
    platform, replace = broken
    replace(
        "stage2/sign-in.tf",
        """    gateway = {
      role                = "Gateway.Invoke"
      principal_object_id = local.gateway_identity.principal_id
    }
""",
        "",
    )
    failed = platform.invoke("deploy", check=False)
    assert failed.returncode != 0
    assert platform.call("tools/list", user="admin").status >= 500
