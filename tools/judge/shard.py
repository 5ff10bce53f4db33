"""`python -m tools.judge.shard SUITE RESULT`: runs the suite's files named on standard input, on a fresh emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# The suite brings its own settings; of this project's plugins it needs none.
OPTIONS = [
    "--rootdir=.",
    "-c",
    "pytest.ini",
    "-o",
    "addopts=",
    "-o",
    "strict_markers=false",
    "-q",
    "--tb=no",
    "-W",
    "ignore",
    "-p",
    "tools.judge.recorder",
]
WITHOUT = ["xdist", "cacheprovider", "asyncio", "pytest_terraform", "hypothesispytest"]
HERE = Path(__file__).parents[2]


def main() -> int:
    suite, result = Path(sys.argv[1]), Path(sys.argv[2])
    files = sys.stdin.read().split()
    emulator = subprocess.Popen(
        [sys.executable, "-m", "emulators.mongodb", "--port", "0"], cwd=HERE, stdout=subprocess.PIPE, text=True,
        stderr=result.with_suffix(".emulator.log").open("w"),
    )  # fmt: skip
    try:
        assert emulator.stdout is not None
        port = emulator.stdout.readline().split()[-1]
        where = ["--connection-string", f"mongodb://127.0.0.1:{port}", "--engine-name", "mongodb"]
        plugins = [item for name in WITHOUT for item in ("-p", f"no:{name}")]
        command = [sys.executable, "-m", "pytest", *plugins, *OPTIONS, *where, f"--judge-out={result}"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HERE), str(suite)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with result.with_suffix(".log").open("w") as log:
            paths = [f"compatibility/tests/{name}" for name in files]
            ended = subprocess.run(
                [*command, *paths], cwd=suite / "documentdb_tests", stdout=log, stderr=log, env=environment, check=False
            )
    finally:
        emulator.terminate()
        emulator.wait()
    return 0 if ended.returncode in (0, 1, 5) else 1  # 1: cases failed, which is what is counted; 5: none was left


if __name__ == "__main__":
    sys.exit(main())
