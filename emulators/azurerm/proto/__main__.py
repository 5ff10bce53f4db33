"""`python -m emulators.azurerm.proto` compiles tfplugin5.proto again, with grpcio-tools (a lint dependency)."""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]  # it publishes no types

HERE = Path(__file__).parent


def compile_to(folder: Path) -> int:
    """Writes tfplugin5_pb2.py and .pyi into `folder`; returns protoc's exit status."""
    status = int(
        protoc.main(
            ["protoc", f"-I{HERE}", f"--python_out={folder}", f"--pyi_out={folder}", str(HERE / "tfplugin5.proto")]
        )
    )
    stub = folder / "tfplugin5_pb2.pyi"
    stub.write_text("# mypy: disable-error-code=type-arg\n" + stub.read_text(encoding="utf-8"), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(compile_to(HERE))
