"""The shipped encoder itself, and the adapter over other people's models."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from memory.adapters.onnx_encoder import OnnxEncoder, _Model
from memory.bootstrap import SHIPPED_ENCODER
from memory.core.values import PseudonymizedText, RawText
from memory.errors import ConfigurationError, InvalidArgumentError

Vectors = NDArray[np.float32]

_WORDS = (
    "person_1 went hiking in the mountains and paid an invoice for 3 unusually long tents".split()
)


@pytest.fixture(scope="module")
def encoder() -> Iterator[OnnxEncoder]:
    encoder = OnnxEncoder(SHIPPED_ENCODER)
    yield encoder
    encoder.close()


def _texts(*values: str) -> list[PseudonymizedText]:
    return [PseudonymizedText(value) for value in values]


def _mixed(seed: int, count: int = 64) -> list[PseudonymizedText]:
    """Texts of 1 to 90 words, many of one length, in random order."""
    chance = random.Random(seed)
    lengths = [chance.choice((1, 4, 4, 7, 7, 12, 12, 13, 30, 90)) for _ in range(count)]
    return _texts(*(" ".join(chance.choices(_WORDS, k=length)) for length in lengths))


def _alone(encoder: OnnxEncoder, texts: list[PseudonymizedText]) -> Vectors:
    return np.concatenate([encoder.encode([text]) for text in texts])


# The shipped model


def test_rows_have_length_one_and_the_name_says_which_bytes_made_them(encoder: OnnxEncoder) -> None:
    vectors = encoder.encode(_mixed(1))
    assert vectors.shape == (64, encoder.dimensions) == (64, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    digest = hashlib.sha256((SHIPPED_ENCODER / "model.onnx").read_bytes()).hexdigest()
    assert encoder.name == f"minilm-l6-v2@{digest[:12]}"


def test_no_texts_give_no_rows(encoder: OnnxEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_meaning_brings_texts_near(encoder: OnnxEncoder) -> None:
    hiking, mountains, invoice = encoder.encode(
        _texts("I love hiking", "She enjoys walking in the mountains", "invoice overdue")
    )
    assert hiking @ mountains > hiking @ invoice + 0.2


def test_a_vector_does_not_depend_on_who_shares_the_batch(encoder: OnnxEncoder) -> None:
    texts = _mixed(2)
    alone = _alone(encoder, texts)
    for size in (2, 3, 5, 8, 17, 33, 64):
        parts = [encoder.encode(texts[at : at + size]) for at in range(0, len(texts), size)]
        np.testing.assert_array_equal(np.concatenate(parts), alone)
    np.testing.assert_array_equal(encoder.encode(texts[::-1]), alone[::-1])


def test_an_extreme_neighbour_of_the_same_length_changes_nothing(encoder: OnnxEncoder) -> None:
    (mine,) = texts = _texts("my knee hurts again today")
    alone = encoder.encode(texts)
    for other in ("! ! ! ! !", "zzz zzz zzz zzz zzz", "日 本 語 日 本", "0 0 0 0 0"):
        both = encoder.encode([PseudonymizedText(other), mine, PseudonymizedText(other)])
        np.testing.assert_array_equal(both[1], alone[0])


def test_the_number_of_threads_changes_nothing(encoder: OnnxEncoder) -> None:
    texts = _mixed(3)
    single = OnnxEncoder(SHIPPED_ENCODER, threads=1)
    np.testing.assert_array_equal(single.encode(texts), encoder.encode(texts))
    single.close()


def test_sixteen_callers_at_once_get_what_each_gets_alone(encoder: OnnxEncoder) -> None:
    texts = _mixed(4)
    alone = _alone(encoder, texts)
    start = threading.Barrier(16)

    def call(caller: int) -> None:
        start.wait(30)
        for step in range(8):
            at = (caller * 5 + step * 7) % 60
            np.testing.assert_array_equal(encoder.encode(texts[at : at + 4]), alone[at : at + 4])

    with ThreadPoolExecutor(16) as pool:
        for future in [pool.submit(call, caller) for caller in range(16)]:
            future.result(120)


def test_one_callers_bad_text_leaves_the_others_alone(encoder: OnnxEncoder) -> None:
    good = _texts("a good text")
    expected = encoder.encode(good)

    def bad() -> None:
        with pytest.raises(InvalidArgumentError, match="Unicode"):
            encoder.encode(_texts("fine", "\ud800"))

    with ThreadPoolExecutor(8) as pool:
        bads = [pool.submit(bad) for _ in range(8)]
        goods = [pool.submit(encoder.encode, good) for _ in range(8)]
        for refused in bads:
            refused.result(60)
        for future in goods:
            np.testing.assert_array_equal(future.result(60), expected)


@given(text=st.text(max_size=300))
def test_any_unicode_text_gets_a_unit_vector(encoder: OnnxEncoder, text: str) -> None:
    (vector,) = encoder.encode(_texts(text))
    assert abs(np.linalg.norm(vector) - 1) < 1e-5


def test_control_tokens_in_a_text_are_only_text(encoder: OnnxEncoder) -> None:
    split, joined = encoder.encode(_texts("the dog [SEP] ran", "the dog ran"))
    assert len(encoder._tokens(PseudonymizedText("[SEP]"))) > 3
    assert split @ joined < 0.999


def test_a_text_past_the_limit_counts_by_its_beginning(encoder: OnnxEncoder) -> None:
    beginning = "word " * 254
    vectors = encoder.encode(_texts(beginning, beginning + "and something else", "word " * 253))
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert (vectors[0] != vectors[2]).any()


def test_raw_text_is_refused_at_run_time(encoder: OnnxEncoder) -> None:
    for wrong in (RawText("Bob"), "Bob"):
        with pytest.raises(TypeError, match="takes PseudonymizedText") as caught:
            encoder.encode([wrong])  # type: ignore[list-item]
        assert "Bob" not in str(caught.value)


def test_raw_text_is_a_type_error(tmp_path: Path) -> None:
    program = tmp_path / "leak.py"
    program.write_text(
        "from memory.adapters.onnx_encoder import OnnxEncoder\n"
        "from memory.core.values import PseudonymizedText, RawText\n"
        "from memory.ports import Encoder\n"
        "def encode(encoder: OnnxEncoder) -> None:\n"
        "    port: Encoder = encoder\n"
        "    port.encode([PseudonymizedText('fine')])\n"
        "    encoder.encode([RawText('leak')])\n"
        "    port.encode([RawText('leak')])\n"
        "    port.encode(['leak'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(program)],
        check=False,
        capture_output=True,
        text=True,
    )
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert [line.split(":")[1] for line in errors] == ["7", "8", "9"], done.stdout + done.stderr
    assert all("PseudonymizedText" in line for line in errors)


def test_a_closed_encoder_refuses() -> None:
    encoder = OnnxEncoder(SHIPPED_ENCODER, threads=1)
    encoder.close()
    encoder.close()
    with pytest.raises(RuntimeError, match="closed"):
        encoder.encode(_texts("late"))


# The small model that reads what is asked


def test_what_is_asked_is_read_nearly_as_the_large_model_would(encoder: OnnxEncoder) -> None:
    asked = _texts(
        "When did we go hiking in the mountains?",
        "what is my dog's favourite toy",
        "Which allergies should the caterer know about?",
        "how is the job hunt going",
    )
    for text, vector in zip(asked, encoder.encode(asked), strict=True):
        small = encoder.encode_query(text)
        assert small.shape == (384,)
        assert small.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(small), 1, atol=1e-6)
        assert small @ vector > 0.85


def test_what_is_asked_finds_what_was_said(encoder: OnnxEncoder) -> None:
    said = encoder.encode(
        _texts("I am allergic to peanuts", "The invoice was paid in May", "We adopted a puppy")
    )
    asked = ("what food must I avoid?", "which bills are settled?", "do we have a pet?")
    for place, question in enumerate(asked):
        assert np.argmax(said @ encoder.encode_query(PseudonymizedText(question))) == place


def test_what_is_asked_at_length_is_read_by_the_large_model(encoder: OnnxEncoder) -> None:
    (text,) = texts = _texts("and then we walked along the river to the old mill, " * 40)
    np.testing.assert_array_equal(encoder.encode_query(text), encoder.encode(texts)[0])


def test_who_waits_is_told_by_model() -> None:
    encoder = OnnxEncoder(SHIPPED_ENCODER)
    encoder.encode(_texts("a", "b"))
    encoder.encode_query(PseudonymizedText("a"))
    assert {name: use.runs for name, use in encoder.use().items()} == {
        "encoder": {2: 1},
        "query_encoder": {1: 1},
    }
    encoder.close()
    for call in (lambda: encoder.encode(_texts("a")), lambda: encoder.encode_query(*_texts("a"))):
        with pytest.raises(RuntimeError, match="closed"):
            call()


def test_without_a_small_model_the_large_one_reads_what_is_asked(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "query.onnx").unlink()
    _write_sums(folder)
    alone = OnnxEncoder(folder)
    (text,) = texts = _texts("when did we meet?")
    np.testing.assert_array_equal(alone.encode_query(text), alone.encode(texts)[0])
    assert list(alone.use()) == ["encoder"]


def test_a_small_model_of_another_width_is_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    tiny = _tiny(tmp_path / "tiny", output="sentence_embedding", vocabulary=30_522)
    shutil.copy(tiny / "model.onnx", folder / "query.onnx")
    _write_sums(folder, "model.onnx", "query.onnx", "tokenizer.json")
    with pytest.raises(ConfigurationError, match=r"of 2 numbers, model\.onnx of 384"):
        OnnxEncoder(folder)


# Folders that are not as they should be


def _copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copied"
    shutil.copytree(SHIPPED_ENCODER, folder)
    return folder


@pytest.mark.parametrize("name", ["model.onnx", "query.onnx", "tokenizer.json"])
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = _copy(tmp_path)
    with (folder / name).open("r+b") as file:
        file.seek(1000)
        file.write(b"?")
    with pytest.raises(ConfigurationError, match=name):
        OnnxEncoder(folder)


@pytest.mark.parametrize("name", ["model.onnx", "query.onnx", "tokenizer.json", "SHA256SUMS"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = _copy(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=name):
        OnnxEncoder(folder)


@pytest.mark.parametrize("name", ["model.onnx", "query.onnx", "tokenizer.json"])
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str) -> None:
    folder = _copy(tmp_path)
    (folder / name).write_bytes(b"{}")
    _write_sums(folder, "model.onnx", "query.onnx", "tokenizer.json")
    with pytest.raises(ConfigurationError, match=name):
        OnnxEncoder(folder)


def test_a_limit_the_model_cannot_reach_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="600 tokens"):
        OnnxEncoder(SHIPPED_ENCODER, max_tokens=600)


# Other sentence encoders


def _write_sums(folder: Path, *names: str) -> None:
    names = names or ("model.onnx", "tokenizer.json")
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    text = "".join(f"{hashes[name]} *{name}\n" for name in names)
    (folder / "SHA256SUMS").write_text(text)


def _tiny(
    folder: Path,
    *,
    output: str,
    integer: str = "INT64",
    inputs: str = "input_ids",
    vocabulary: int = 4,
) -> Path:
    """A model whose token states are rows of a table: token i is (1, i)."""
    onnx = pytest.importorskip("onnx")
    h, types = onnx.helper, onnx.TensorProto
    table = onnx.numpy_helper.from_array(
        np.array([[1, i] for i in range(vocabulary)], np.float32), name="table"
    )
    nodes = [h.make_node("Gather", ["table", inputs.split()[0]], ["states"])]
    shape = ["batch", "tokens", 2]
    if output == "sentence_embedding":
        nodes.append(h.make_node("ReduceMax", ["states"], [output], axes=[1], keepdims=0))
        shape = ["batch", 2]
    else:
        nodes.append(h.make_node("Identity", ["states"], [output]))
    given = [
        h.make_tensor_value_info(name, getattr(types, integer), ["batch", "tokens"])
        for name in inputs.split()
    ]
    made = [h.make_tensor_value_info(output, types.FLOAT, shape)]
    graph = h.make_graph(nodes, "tiny", given, made, [table])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    folder.mkdir()
    onnx.save(model, folder / "model.onnx")
    tokenizer = Tokenizer(WordLevel({"unknown": 0, "a": 1, "b": 2, "c": 3}, unk_token="unknown"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_sums(folder)
    return folder


def _unit(*values: float) -> Vectors:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("integer", ["INT32", "INT64"])
@pytest.mark.parametrize("inputs", ["input_ids", "input_ids attention_mask token_type_ids"])
@pytest.mark.parametrize("output", ["last_hidden_state", "token_embeddings"])
def test_token_states_are_averaged_and_normalised(
    tmp_path: Path, output: str, inputs: str, integer: str
) -> None:
    encoder = OnnxEncoder(_tiny(tmp_path / "x", output=output, inputs=inputs, integer=integer))
    assert encoder.dimensions == 2
    assert encoder.name.startswith("x@")
    vectors = encoder.encode(_texts("a c", "b", "a b c c"))
    expected = [_unit(1, 2), _unit(1, 2), _unit(1, 9 / 4)]
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_pooled_output_is_taken_and_normalised(tmp_path: Path) -> None:
    encoder = OnnxEncoder(_tiny(tmp_path / "x", output="sentence_embedding"))
    vectors = encoder.encode(_texts("a c", "a b"))
    np.testing.assert_allclose(vectors, [_unit(1, 3), _unit(1, 2)], atol=1e-6)


def test_a_model_that_promises_nothing_gets_one_text_a_run(tmp_path: Path) -> None:
    path = _tiny(tmp_path / "x", output="last_hidden_state") / "model.onnx"
    assert _Model(path, path.read_bytes()).texts_per_run(3) == 1


def test_a_text_without_tokens_is_refused(tmp_path: Path) -> None:
    encoder = OnnxEncoder(_tiny(tmp_path / "x", output="last_hidden_state"))
    with pytest.raises(InvalidArgumentError, match="must not be empty"):
        encoder.encode(_texts(" "))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"output": "logits"}, "logits"),
        ({"output": "last_hidden_state", "inputs": "words"}, "'words'"),
        ({"output": "last_hidden_state", "inputs": "input_ids pixels"}, "'pixels'"),
        ({"output": "last_hidden_state", "inputs": "attention_mask"}, "no input 'input_ids'"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    tmp_path: Path, parts: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        OnnxEncoder(_tiny(tmp_path / "x", **parts))
