"""Generates `memory/v1/` from `proto/memory/v1/`: `python -m tools.generate_stubs`.

Rules:
- The import path of a stub equals its proto package: `memory.v1.core_pb2`.
- The stubs are committed, so that no user needs protoc; a test proves that they match the source.
- `proto/` itself is never importable: that name belongs to Google's proto-plus.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ROOT / "proto"

_INIT: Final = '"""Stubs of `proto/memory/v1`, made by `python -m tools.generate_stubs`."""\n'


class StubGenerationError(Exception):
    """protoc refused; it has said why on stderr."""


def generate(into: Path) -> None:
    """Write `memory/v1/*_pb2*.py[i]` and its `__init__.py` below the folder `into`."""
    # protoc looks for its plugins (protoc-gen-mypy) on PATH; they lie beside this interpreter.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    run_protoc(
        f"--python_out={into}",
        f"--grpc_python_out={into}",
        f"--mypy_out=quiet:{into}",
        f"--mypy_grpc_out=quiet:{into}",
    )
    package = into / "memory" / "v1"
    for stub in package.glob("*_pb2_grpc.py*"):
        source = SOURCES / "memory" / "v1" / f"{stub.name.split('_pb2')[0]}.proto"
        if "\nservice " not in source.read_text(encoding="utf-8"):
            stub.unlink()  # grpc writes one for each file, and there is nothing in it
    (package / "__init__.py").write_text(_INIT, encoding="utf-8")


def run_protoc(*options: str) -> None:
    """Run protoc over every file of the contract. Raises `StubGenerationError`."""
    protos = sorted(str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.proto"))
    paths = (f"--proto_path={SOURCES}", f"--proto_path={files('grpc_tools') / '_proto'}")
    status = protoc.main(["protoc", *paths, *options, *protos])
    if status != 0:
        raise StubGenerationError(f"protoc ended with status {status}")


if __name__ == "__main__":
    generate(ROOT)
