"""mem0 as a side of a race: its open-source `Memory`, with what plain Chroma is given.

It is no dependency of Tacit, and takes part where it is installed beside it:

    pip install langchain posthog qdrant-client
    pip install --no-deps mem0ai

With its dependencies, 2.2.1 would bring an older protobuf than Tacit's stubs accept; over Chroma it
needs no protobuf.

Rules:
- Chroma in a local folder is its vector store. The fp32 encoder reaches it in a documented way, as
  an object of LangChain's, and for that alone it needs `langchain`. With `infer=False` it stores
  texts as they are: the language model that its settings have to name is never called.
- Nothing is sent or fetched: its telemetry is off, the language model's address is a closed port of
  this machine, and it does not see spaCy, which Tacit installs and for which it would download a
  model. It runs as `pip install mem0ai` leaves it, without its extra `nlp`.
- All it writes lies in a folder of its own, which goes at the end.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from langchain_core.embeddings import Embeddings

from benchmarks.fp32 import fp32_encoder
from benchmarks.sides import HITS, PERSON, SESSION_TURNS, Timings, timed

NOWHERE: Final = "http://127.0.0.1:9"
"""Nobody listens at the discard port."""


class LangchainFp32(Embeddings):
    """The encoder as LangChain, and so mem0, takes it."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return fp32_encoder().encode(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def environment(folder: Path) -> dict[str, str]:
    """What mem0 reads from the environment when it is imported."""
    return {"MEM0_DIR": str(folder), "MEM0_TELEMETRY": "False", "ANONYMIZED_TELEMETRY": "False"}


def configuration(folder: Path) -> dict[str, Any]:
    """For `mem0.Memory.from_config`."""
    return {
        "vector_store": {
            "provider": "chroma",
            "config": {"collection_name": PERSON, "path": str(folder / "chroma")},
        },
        "embedder": {"provider": "langchain", "config": {"model": LangchainFp32()}},
        "llm": {
            "provider": "openai",
            "config": {"api_key": "none", "openai_base_url": NOWHERE},
        },
        "history_db_path": str(folder / "history.db"),
    }


class Mem0Side:
    """mem0 in this process, all of which is set up for it."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        os.environ |= environment(folder)
        sys.modules["spacy"] = None  # type: ignore[assignment] # "not installed", to an import
        from mem0 import Memory

        self._memory = Memory.from_config(configuration(folder))
        fp32_encoder()  # loaded before anything is timed, as the server's is
        self._numbers = itertools.count()

    def load(self, texts: Sequence[tuple[str, str]]) -> Timings:
        start = time.perf_counter()
        for one in texts:  # so it would store a list, too
            self._add(one)
        return Timings((), time.perf_counter() - start)

    def store(self, texts: Sequence[tuple[str, str]], callers: int) -> Timings:
        return timed(self._add, texts, callers)

    def recall(self, queries: Sequence[str], callers: int) -> Timings:
        return timed(
            lambda query: self._memory.search(query, filters={"user_id": PERSON}, top_k=HITS),
            queries,
            callers,
        )

    def close(self) -> None:
        self._memory.close()
        self._folder.cleanup()

    def _add(self, one: tuple[str, str]) -> None:
        speaker, text = one
        self._memory.add(
            [{"role": "user", "name": speaker, "content": text}],
            user_id=PERSON,
            metadata={"session": next(self._numbers) // SESSION_TURNS},
            infer=False,
        )
