"""Locks pin everything by hash, keep extras, and name no address that packages came from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ops.images.pip_lock import with_plain_pins

ROOT = Path(__file__).parents[3]
LOCKS = [
    ROOT / "requirements.txt",
    *sorted((ROOT / "requirements").glob("*.txt")),
    *ROOT.glob("servers/*/requirements.txt"),
    ROOT / "ops" / "templates" / "server" / "requirements.txt",
]
PINNED = re.compile(r"^([a-z0-9][\w.-]*)(?:\[([\w, -]+)\])?==[^ ;\\]+", re.MULTILINE)
ENVIRONMENT = {"sys_platform": "linux", "platform_system": "Linux"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_has_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pinned = PINNED.findall(text)
    requirements = re.findall(r"^[a-zA-Z0-9]", text, re.M)
    assert len(pinned) == len(requirements) > 10
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


def extras_asked(pinned: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Distribution and extra, as the installed packages of a lock ask them of each other."""
    for name, chosen in pinned.items():
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # of another platform or session
            continue
        for requirement in map(Requirement, requires):
            wanted = requirement.marker is None or any(
                requirement.marker.evaluate({**ENVIRONMENT, "extra": extra}) for extra in ("", *chosen)
            )
            if wanted:
                yield from ((canonicalize_name(requirement.name), extra) for extra in requirement.extras)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_extras_are_kept(lock: Path) -> None:
    """pip before 23.3, which Python 3.11 brings, installs an extra by hash only where the pin names it."""
    pinned: defaultdict[str, set[str]] = defaultdict(set)
    for name, extras in PINNED.findall(lock.read_text(encoding="utf-8")):
        pinned[name] |= {extra.strip() for extra in extras.split(",") if extra}
    assert {(name, extra) for name, extra in extras_asked(pinned) if extra not in pinned[name]} == set()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_pinned_with_extras_is_pinned_without_too(lock: Path) -> None:
    """The same pip resolves the two apart, and would take another version for the one that is not there."""
    text = lock.read_text(encoding="utf-8")
    assert with_plain_pins(text) == text


def test_a_plain_pin_is_put_before_one_with_extras() -> None:
    """With its marker, its hashes and who asks for it; once."""
    lock = "a[x, y]==1 ; os_name == 'nt' \\\n    --hash=sha256:aa\n    # via b\nb==2 \\\n    --hash=sha256:bb\n"
    written = with_plain_pins(lock)
    assert written == "a==1 ; os_name == 'nt' \\\n    --hash=sha256:aa\n    # via b\n" + lock
    assert with_plain_pins(written) == written


def test_every_lock_that_a_session_installs_exists_and_none_is_left_over() -> None:
    """The lock of a group is requirements/<group>.txt."""
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    installed = set(re.findall(r'install\(session, "(\w+)"\)|requirements/(\w+)\.txt"', noxfile))
    assert {one or other for one, other in installed} == {path.stem for path in (ROOT / "requirements").glob("*.txt")}
