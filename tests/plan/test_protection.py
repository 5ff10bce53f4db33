"""Protected data stays: no destroy, no value and no plan takes it away; what is taken out of the state first can go.

What each change of production's values would destroy, and what refuses it, is in changes/*.yaml.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tftest

from tests.plan.bench import Bench

KEEPERS = [f"module.{module}.terraform_data.keep" for module in ("cluster", "database", "registry", "vault")]
ROOT = Path(__file__).parent / "roots/protected"


@pytest.fixture(scope="module")
def protected(own_bench: Bench) -> tftest.TerraformTest:
    """Database, registry and vault, applied with every protection."""
    # Beside the stages, so that its `../modules/…` resolve.
    folder = shutil.copytree(ROOT, own_bench.home / "terraform" / "root-protected")
    root = tftest.TerraformTest(str(folder), binary=own_bench.binary, env=dict(own_bench.env))
    root.init()
    root.apply(tf_vars={"protected": "true"})
    return root


def test_each_thing_is_kept_by_itself(protected: tftest.TerraformTest) -> None:
    """Cluster, account, database, collection, registry and vault: a new collection adds a keeper and changes none."""
    kept = protected.execute_command("state", "list").out.split()
    assert [address for address in kept if "terraform_data.keep" in address] == [
        'module.cluster.terraform_data.keep["cluster"]',
        'module.database.terraform_data.keep["account"]',
        'module.database.terraform_data.keep["collection/shop/orders"]',
        'module.database.terraform_data.keep["database/shop"]',
        'module.registry.terraform_data.keep["registry"]',
        'module.vault.terraform_data.keep["vault"]',
    ]


def test_nothing_is_destroyed(protected: tftest.TerraformTest) -> None:
    """`terraform destroy` fails in its plan, before it has destroyed anything."""
    before = protected.execute_command("state", "list").out
    with pytest.raises(tftest.TerraformTestError, match=r"lifecycle\.prevent_destroy set"):
        protected.destroy(tf_vars={"protected": "true"})
    assert protected.execute_command("state", "list").out == before


def test_no_value_switches_it_off(protected: tftest.TerraformTest) -> None:
    """Otherwise the change that loses data would bring the one that allows it."""
    with pytest.raises(tftest.TerraformTestError, match=r"lifecycle\.prevent_destroy set"):
        protected.plan(tf_vars={"protected": "false"})


def test_the_way_out_is_the_one_in_the_readme(protected: tftest.TerraformTest) -> None:
    """Keepers are taken out of the state, the value says off and takes the locks away, then everything can go."""
    protected.execute_command("state", "rm", *KEEPERS)
    protected.apply(tf_vars={"protected": "false"})
    assert "azurerm_management_lock" not in protected.execute_command("state", "list").out
    protected.destroy(tf_vars={"protected": "false"})
    assert protected.execute_command("state", "list").out == ""
