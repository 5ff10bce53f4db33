"""`python -m tools.judge SUITE`: the MongoDB emulator judged by a public suite that nobody here wrote.

SUITE is a checkout of github.com/documentdb/functional-tests (MIT), whose own pipeline checks each of its expectations
on a MongoDB; `JUDGE_SUITE` names it as well. Without either, the commit below is fetched into .tools/ where the
internet is reachable. Nothing of it is part of this repository. The counts of each area are compared with
tools/judge/baseline.json, which may only improve; `--write` puts the new ones there. Each case's answer goes to
results/judge/cases.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tools.judge.recorder import KINDS
from tools.judge.scope import area_of, left_out

REPOSITORY = "https://github.com/documentdb/functional-tests"
COMMIT = "935605ab"
BASELINE = Path(__file__).parent / "baseline.json"
TESTS = Path("documentdb_tests/compatibility/tests")
Table = dict[str, dict[str, int]]


def fetched() -> Path:
    """The suite in .tools/, cloned at the pinned commit when it is not there yet."""
    home = Path(".tools/functional-tests")
    if not home.exists():
        clone = ["git", "clone", "--quiet", "--filter=blob:none", REPOSITORY, str(home)]
        if subprocess.run(clone, check=False).returncode:
            sys.exit(f"{REPOSITORY} cannot be reached: give a checkout at {COMMIT}, as argument or in JUDGE_SUITE")
        subprocess.run(["git", "-C", str(home), "checkout", "--quiet", COMMIT], check=True)
    return home


def files_of(suite: Path, folders: list[str]) -> list[str]:
    """The suite's test files that have cases in scope, relative to its folder of tests."""
    root = suite / TESTS
    if not root.is_dir():
        sys.exit(f"{suite} holds no {TESTS}: it is no checkout of {REPOSITORY}")
    found = sorted(str(path.relative_to(root)) for path in root.rglob("test_*.py"))
    wanted = [name for name in found if not folders or any(name.startswith(folder) for folder in folders)]
    return [name for name in wanted if not left_out(f"{name}::")]


def run_shards(suite: Path, files: list[str], shards: int, out: Path) -> list[Path]:
    """Runs the files, each shard with pytest and an emulator of its own; the shards' files of results."""
    out.mkdir(parents=True, exist_ok=True)
    running = []
    for shard in range(shards):
        mine = [name for name in files if zlib.crc32(name.encode()) % shards == shard]
        if mine:
            result = out / f"shard-{shard}.jsonl"
            command = [sys.executable, "-m", "tools.judge.shard", str(suite.resolve()), str(result.resolve())]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
            assert process.stdin is not None
            process.stdin.write("\n".join(mine))
            process.stdin.close()
            running.append((process, result))
    failed = [result for process, result in running if process.wait()]
    if failed:
        sys.exit(f"the suite did not run to its end; {failed[0].with_suffix('.log')} says why")
    return [result for _, result in running]


def count(paths: Iterable[Path]) -> tuple[Table, list[str]]:
    """Counts by area and kind, and the lines they were counted from."""
    table: dict[str, Counter[str]] = {}
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        row = json.loads(line)
        table.setdefault(area_of(row["case"]), Counter())[row["kind"]] += 1
    return {area: {kind: table[area][kind] for kind in KINDS} for area in sorted(table)}, sorted(lines)


def total(table: Table) -> dict[str, int]:
    return {kind: sum(row[kind] for row in table.values()) for kind in KINDS}


def shown(table: Table) -> str:
    """The table as text, with its sum and both shares."""
    width = max(map(len, table), default=10)
    rows = [*table.items(), ("all", total(table))]
    lines = [f"{'area':{width}}" + "".join(f"{kind:>12}" for kind in KINDS)]
    lines += [f"{area:{width}}" + "".join(f"{row[kind]:>12}" for kind in KINDS) for area, row in rows]
    everything = total(table)
    cases = sum(everything.values()) or 1
    exact, right = everything["exact"] / cases, (everything["exact"] + everything["other_code"]) / cases
    return "\n".join([*lines, f"{cases} cases: {exact:.1%} exact, {right:.1%} right but for the code"])


def worse(old: Table, new: Table) -> list[str]:
    """One sentence for each count that got worse: fewer exact answers, or more of any other kind but a wrong code."""
    found = []
    for area, row in new.items():
        before = old.get(area)
        if before is None:
            continue
        if row["exact"] < before["exact"]:
            found.append(f"{area}: {row['exact']} exact, {before['exact']} in the baseline")
        if row["exact"] + row["other_code"] < before["exact"] + before["other_code"]:
            found.append(f"{area}: fewer are right but for the code than in the baseline")
        for kind in ("wrong_value", "accepted", "failed", "crashed"):
            if row[kind] > before[kind]:
                found.append(f"{area}: {row[kind]} {kind}, {before[kind]} in the baseline")
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.judge", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", nargs="?", type=Path, default=os.environ.get("JUDGE_SUITE"))
    parser.add_argument("--only", nargs="*", default=[], metavar="FOLDER", help="folders below the suite's tests")
    parser.add_argument("--shards", type=int, default=2, help="how many run beside each other (default: 2)")
    parser.add_argument("--write", action="store_true", help="write the counts into the baseline")
    given = parser.parse_args(arguments)
    suite = Path(given.suite) if given.suite else fetched()
    out = Path("results/judge")
    table, lines = count(run_shards(suite, files_of(suite, given.only), given.shards, out))
    (out / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(shown(table))
    old: Table = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    found = worse(old, table)
    for sentence in found:
        print(f"WORSE {sentence}")
    if given.write and not found:
        BASELINE.write_text(json.dumps({**old, **table}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
