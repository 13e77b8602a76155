"""The name model that ships in the package, if it is there.

Without its folder, names are found by cue alone; with a folder that does not load, that is an
error, never a silent step down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from memory.adapters.detection.ner_recognizer import NameModel

MODEL_FOLDER: Final = Path(__file__).resolve().parents[2] / "models" / "ner"


def shipped_model(threads: int = 2) -> NameModel | None:
    """The shipped model, loaded; None when the package was built without it."""
    if not any(MODEL_FOLDER.glob("*.onnx")):
        return None
    from memory.adapters.ner_model import NerModel

    return NerModel(MODEL_FOLDER, threads)
