"""Embeds pseudonymized text with an ONNX sentence encoder from a folder.

The folder holds `model.onnx` (one file, no external data), `tokenizer.json` (Hugging Face
tokenizers) and `SHA256SUMS` over both (`sha256sum model.onnx tokenizer.json > SHA256SUMS`).
The graph takes `input_ids` and, if it likes, `attention_mask` and `token_type_ids`, all
(batch, tokens). Its output is `sentence_embedding` (batch, d), or token states
(batch, tokens, d) named `last_hidden_state` or `token_embeddings`, which are then averaged here.

It may also hold `query.onnx`, a smaller encoder of nearly the same vectors, with its line in
SHA256SUMS. It reads what is asked in short; `model.onnx` reads what is kept, and without it both.

Rules:
- Only `PseudonymizedText` comes in; anything else is a TypeError, whatever mypy was told.
- A text's vector depends on that text alone, bit for bit. There is no padding: only texts of
  the same number of tokens share a run, and only in a model whose metadata promises
  `tacit.batch_independent = true` (plain dynamic int8 models share one scale across a batch, so
  that one person's text changes another's vector); any other model gets one text a run.
- A run has one thread: of a short text, waking a second one costs more than it gives. Several
  texts are shared out between `threads`.
- Words such as "[SEP]" in a text are text, never control tokens.
- A text longer than `max_tokens` (special tokens included) is embedded by its beginning: what
  comes after has no part in the vector. MiniLM-L6 was trained on up to 256.
- The files are read once, and the bytes that were checked are the bytes that run.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from memory.adapters.batching import Batcher, ClosedError
from memory.core.values import PseudonymizedText
from memory.errors import ConfigurationError, InvalidArgumentError
from memory.ports import ModelUse

MODEL: Final = "model.onnx"
QUERY_MODEL: Final = "query.onnx"
TOKENIZER: Final = "tokenizer.json"
SUMS: Final = "SHA256SUMS"

MAX_QUERY_TOKENS: Final = 64
"""What is asked in more is read by the large model: the small one learnt from short texts."""

MAX_TOKENS_PER_RUN: Final = 4096
"""Texts of one length share a run up to this many tokens; bounds the memory of a run."""

_INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")
_INTEGERS: Final[dict[str, type[np.signedinteger[Any]]]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
_TOKEN_STATES: Final = ("last_hidden_state", "token_embeddings")
_SMALLEST_NORM: Final = 1e-12

Vectors = NDArray[np.float32]
TokenIds = list[int]
_Batcher = Batcher[TokenIds, Vectors]


class OnnxEncoder:
    """Encoder port over any ONNX sentence encoder folder. Safe to call from many threads."""

    name: str
    """Folder name and the first 12 hex digits of the model's SHA-256; stored with vectors."""
    dimensions: int

    def __init__(self, folder: Path, *, threads: int = 2, max_tokens: int = 256) -> None:
        """Load, check and try the model once.

        Args:
            folder: see the module's docstring.
            threads: runs at a time when a call, or several that wait, bring more than one text.
            max_tokens: longer texts are cut to this many tokens.

        Raises:
            ConfigurationError: a file is missing, changed or not usable.
        """
        files = _checked_files(folder)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self.name = f"{folder.resolve().name}@{hashlib.sha256(files[MODEL]).hexdigest()[:12]}"
        self._tokenizer = _tokenizer(folder, files[TOKENIZER], max_tokens)
        self._counting = _tokenizer(folder, files[TOKENIZER], None)
        self._kept, self.dimensions = self._model(folder / MODEL, files[MODEL], max_tokens)
        self._asked = self._kept
        if QUERY_MODEL in files:
            query_model = folder / QUERY_MODEL
            self._asked, width = self._model(query_model, files[QUERY_MODEL], max_tokens)
            if width != self.dimensions:
                raise ConfigurationError(
                    f"{query_model} gives vectors of {width} numbers, {MODEL} of {self.dimensions}"
                )

    def encode(self, texts: Sequence[PseudonymizedText]) -> Vectors:
        """Unit rows (n, dimensions); a text over `max_tokens` counts by its beginning.

        Raises:
            TypeError: something else than `PseudonymizedText` was given.
            InvalidArgumentError: a text is no valid Unicode (lone surrogates), or has no tokens.
            RuntimeError: the encoder is closed.
        """
        tokens = [self._tokens(text) for text in texts]
        if not tokens:
            return np.empty((0, self.dimensions), np.float32)
        return np.stack(_run(self._kept, tokens))

    def encode_query(self, text: PseudonymizedText) -> Vectors:
        """Unit vector (dimensions,) of what is asked, to compare with those of `encode`.

        Raises as `encode` does.
        """
        tokens = self._tokens(text)
        short = len(tokens) <= MAX_QUERY_TOKENS
        vector: Vectors = _run(self._asked if short else self._kept, [tokens])[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """How many tokens the whole text has, special ones apart."""
        return len(self._counting.encode(text, add_special_tokens=False).ids)

    def use(self) -> Mapping[str, ModelUse]:
        """By model, the callers that wait and its runs so far by how many texts they had."""
        models = {"encoder": self._kept}
        if self._asked is not self._kept:
            models["query_encoder"] = self._asked
        return {name: batcher.use() for name, batcher in models.items()}

    def close(self) -> None:
        """Finish the calls that were accepted, refuse new ones."""
        self._kept.close()
        self._asked.close()
        self._pool.shutdown()

    def _tokens(self, text: PseudonymizedText) -> TokenIds:
        if not isinstance(text, PseudonymizedText):
            raise TypeError(f"the encoder takes PseudonymizedText, not {type(text).__name__}")
        try:
            text.value.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError("text", "must be valid Unicode") from None
        ids: TokenIds = self._tokenizer.encode(text.value).ids
        if not ids:
            raise InvalidArgumentError("text", "must not be empty")
        return ids

    def _embed(self, model: _Model, tokens: Sequence[TokenIds]) -> list[Vectors]:
        """One row per text. Texts of one length together, long runs first."""
        by_length = defaultdict(list)
        for position, ids in enumerate(tokens):
            by_length[len(ids)].append(position)
        share = -(-len(tokens) // self._threads)
        runs: list[list[int]] = []
        for length, positions in sorted(by_length.items(), reverse=True):
            together = min(model.texts_per_run(length), share)
            runs += [positions[at : at + together] for at in range(0, len(positions), together)]
        each = map if len(runs) == 1 else self._pool.map
        made = each(lambda run: model.run([tokens[position] for position in run]), runs)
        rows = {
            position: row
            for run, vectors in zip(runs, made, strict=True)
            for position, row in zip(run, vectors, strict=True)
        }
        return [rows[position] for position in range(len(tokens))]

    def _model(self, path: Path, data: bytes, max_tokens: int) -> tuple[_Batcher, int]:
        """The model, loaded and tried out, and the width of its vectors."""
        model = _Model(path, data)
        ids = self._tokenizer.encode("word " * max_tokens).ids
        try:
            vectors = model.run([ids])
        except Exception as error:  # onnxruntime raises a class of its own per status code
            raise ConfigurationError(
                f"{path} cannot embed {max_tokens} tokens; is it a sentence encoder "
                f"that fits {TOKENIZER}? ({type(error).__name__})"
            ) from error
        if not np.isfinite(vectors).all():
            raise ConfigurationError(f"{path} gives vectors that are not finite")
        return Batcher(partial(self._embed, model)), int(vectors.shape[1])


class _Model:
    """An ONNX session that maps token ids to unit vectors."""

    def __init__(self, path: Path, data: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        # A memory plan per input shape would be kept for every length ever seen.
        options.enable_mem_pattern = False
        try:
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ConfigurationError(
                f"{path} is no model that ONNX Runtime can load ({type(error).__name__})"
            ) from error
        self._inputs = self._known_inputs(path)
        self._output, self._pooled = self._known_output(path)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._batch_independent = metadata.get("tacit.batch_independent") == "true"

    def texts_per_run(self, length: int) -> int:
        """How many texts of this many tokens may share a run."""
        return max(1, MAX_TOKENS_PER_RUN // length) if self._batch_independent else 1

    def run(self, tokens: Sequence[TokenIds]) -> Vectors:
        """Unit rows (n, d) of n texts, all of the same number of tokens."""
        feed = {}
        for name, integer in self._inputs.items():
            if name == "input_ids":
                feed[name] = np.array(tokens, integer)
            else:
                fill = 1 if name == "attention_mask" else 0
                feed[name] = np.full((len(tokens), len(tokens[0])), fill, integer)
        output = self._session.run([self._output], feed)[0].astype(np.float32, copy=False)
        vectors = output if self._pooled else output.mean(axis=1)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(norms, _SMALLEST_NORM)
        return unit

    def _known_inputs(self, path: Path) -> dict[str, type[np.signedinteger[Any]]]:
        """The model's inputs by name, with their integer type."""
        inputs = {}
        for given in self._session.get_inputs():
            if given.name not in _INPUTS or given.type not in _INTEGERS:
                raise ConfigurationError(
                    f"{path} wants an input {given.name!r} of {given.type}; known are "
                    f"{', '.join(_INPUTS)} as int32 or int64"
                )
            inputs[given.name] = _INTEGERS[given.type]
        if "input_ids" not in inputs:
            raise ConfigurationError(f"{path} has no input 'input_ids'")
        return inputs

    def _known_output(self, path: Path) -> tuple[str, bool]:
        """The output's name, and whether it is one vector a text already."""
        ranks = {output.name: len(output.shape) for output in self._session.get_outputs()}
        if ranks.get("sentence_embedding") == 2:
            return "sentence_embedding", True
        for name in _TOKEN_STATES:
            if ranks.get(name) == 3:
                return name, False
        raise ConfigurationError(
            f"{path} has the outputs {', '.join(ranks)}; needed is sentence_embedding "
            f"(batch, d), or {' or '.join(_TOKEN_STATES)} (batch, tokens, d)"
        )


def _run(batcher: _Batcher, tokens: Sequence[TokenIds]) -> Sequence[Vectors]:
    try:
        return batcher.run(tokens)
    except ClosedError:
        raise RuntimeError("the encoder is closed") from None


def _checked_files(folder: Path) -> dict[str, bytes]:
    """The bytes of the models and the tokenizer, each as SHA256SUMS says."""
    lines = _read(folder / SUMS).decode(errors="replace").splitlines()
    # sha256sum writes "HASH  NAME", or "HASH *NAME" for what it calls binary mode.
    expected = {name.strip().lstrip("*"): sha for sha, _, name in (x.partition(" ") for x in lines)}
    small = [QUERY_MODEL] if QUERY_MODEL in expected or (folder / QUERY_MODEL).exists() else []
    files = {name: _read(folder / name) for name in (MODEL, *small, TOKENIZER)}
    for name, data in files.items():
        if expected.get(name) != hashlib.sha256(data).hexdigest():
            raise ConfigurationError(
                f"{folder / name} does not have the SHA-256 that {SUMS} states; fetch it again, "
                f"or, if you changed it: sha256sum {' '.join(files)} > {SUMS}"
            )
    return files


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} of the sentence encoder cannot be read ({type(error).__name__}); a folder "
            f"holds {MODEL}, {TOKENIZER} and {SUMS}"
        ) from error


def _tokenizer(folder: Path, data: bytes, max_tokens: int | None) -> Tokenizer:
    """Cuts to `max_tokens`, or reads whole texts."""
    try:
        tokenizer = Tokenizer.from_buffer(data)
        tokenizer.no_padding()
        if max_tokens is None:
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(max_tokens)
    except Exception as error:  # tokenizers raises plain Exception
        raise ConfigurationError(
            f"{folder / TOKENIZER} is no Hugging Face tokenizer, or cannot cut to {max_tokens} "
            "tokens"
        ) from error
    tokenizer.encode_special_tokens = True
    return tokenizer
