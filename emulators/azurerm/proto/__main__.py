"""`python -m emulators.azurerm.proto` compiles tfplugin5.proto again, with grpcio-tools (a dependency of the tests)."""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]  # it publishes no types

HERE = Path(__file__).parent


def compile_to(folder: Path) -> int:
    """Write tfplugin5_pb2.py into `folder`; protoc's exit status."""
    return int(protoc.main(["protoc", f"-I{HERE}", f"--python_out={folder}", str(HERE / "tfplugin5.proto")]))


if __name__ == "__main__":
    sys.exit(compile_to(HERE))
