"""The data that each environment keeps, object by object: nobody loses one by renaming something."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.plan import data
from tests.plan.bench import ENVIRONMENTS
from tests.plan.conftest import Planned
from tests.plan.inventory import resources

FILE = Path(__file__).parent / "data.yaml"
LASTING = [name for name in ENVIRONMENTS if name != "local"]  # a twin's data is anybody's to delete


@pytest.mark.parametrize("environment", LASTING)
def test_no_data_is_lost(planned: Planned, environment: str, request: pytest.FixtureRequest) -> None:
    """Every object of data.yaml is still planned, under its address and its name. `--regenerate` only ever adds."""
    written = yaml.safe_load(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    before = written.get(environment, {})
    after = data.kept(*(planned(stage, environment)._raw for stage in (1, 2)))
    lost = list(data.lost(before, after))
    how = f"If {environment} may lose this data: change {FILE.name} by hand, and say in the pull request who agreed."
    assert not lost, "\n".join(["", *lost, how])
    if request.config.getoption("--regenerate"):
        FILE.write_text(yaml.safe_dump({**written, environment: after}, width=120), encoding="utf-8")
        return
    new = sorted(after.keys() - before.keys())
    assert not new, f"{environment} keeps new data, {new}: pytest tests/plan/test_data.py --regenerate"


def test_production_guards_what_people_put_in(planned: Planned) -> None:
    """Each account, database, collection, vault and registry of production has its own guard against destruction."""
    found = [address for stage in (1, 2) for address in resources(planned(stage, "prod")._raw)]
    kept = data.kept(*(planned(stage, "prod")._raw for stage in (1, 2)))
    guarded = Counter(
        address.partition(".terraform_data.keep")[0] for address in found if ".terraform_data.keep" in address
    )
    put_in = Counter(
        address.partition(".azurerm_")[0] for address in kept if "azurerm_" in address and "monitoring" not in address
    )
    assert guarded == put_in
