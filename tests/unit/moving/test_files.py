"""From a file to the elements of its JSON: one at a time, bounded, with a place for a mistake."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memory.errors import ConfigurationError
from server.moving import files
from server.moving.entries import Found
from server.moving.files import elements

JSON = re.compile(r".*\.json")


def read(path: Path, found: Found | None = None) -> list[Any]:
    return [node.value for node in elements(path, JSON, found or Found())]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def into_a_file(content: str | bytes) -> Path:
        path = tmp_path / "export.json"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return into_a_file


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[]", []),
        (' [ {"a": 1} , 2,"x",null ] \n', [{"a": 1}, 2, "x", None]),
        ("[12, 34]", [12, 34]),
        ('\ufeff{"a": [1, 2]}', [{"a": [1, 2]}]),
        ("7", [7]),
        ("[1.5e+3, -2E2, 1.25]", [1500.0, -200.0, 1.25]),
    ],
)
def test_a_list_comes_in_elements_and_anything_else_is_one(
    text: str, values: list[Any], write: Callable[[str], Path]
) -> None:
    assert read(write(text)) == values


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_where_the_file_is_cut_for_reading_does_not_show(
    chunk: int, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK_CHARS", chunk)
    values = [{"text": 'a "quoted" ünï\n', "n": [1.5, -20, 1234]}, 4567, True, "\\"]
    assert read(write(json.dumps(values, indent=2))) == values
    assert read(write(json.dumps({"a": values}))) == [{"a": values}]
    assert read(write("[1.5e+3,-2E-2,0.25]")) == [1500.0, -0.02, 0.25]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "export.json is not JSON, at character 0"),
        ("hello", "export.json is not JSON, at character 0"),
        ("[1, 2", "lacks a ',', at character 5"),
        ("[1 2]", "lacks a ',', at character 3"),
        ('[{"a": 1}, {"b": }]', r"export.json\[1\] is not JSON, at character 17"),
        ("[1, ]", r"export.json\[1\] is not JSON, at character 4"),
        ("[] []", "something follows"),
        ("[" * 100_000, "nested too deeply"),
        (b'["\xff"]', "not in UTF-8"),
    ],
)
def test_a_mistake_names_its_place(
    text: str | bytes, problem: str, write: Callable[[str | bytes], Path]
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read(write(text))


def test_an_element_has_a_bounded_size(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_ELEMENT_CHARS", 1_000)
    monkeypatch.setattr(files, "_CHUNK_CHARS", 100)
    assert len(read(write(json.dumps(["x" * 500] * 50)))) == 50
    with pytest.raises(ConfigurationError, match="longer than 1,000 characters"):
        read(write(json.dumps(["x" * 5_000])))


def test_of_a_zip_what_matters_is_read_and_the_rest_counted(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/b.json", "[2]")
        archive.writestr("data/a.json", "[1]")
        archive.writestr("chat.html", "<p>")
        archive.writestr("__MACOSX/data/._a.json", b"\0")
        archive.mkdir("empty")
    found = Found()
    assert read(path, found) == [1, 2]
    assert found.beside == {"file *.html": 1}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("c.json", "{")
    with pytest.raises(ConfigurationError, match=r"export.zip/c.json is not JSON"):
        read(path)


@pytest.mark.parametrize("name", ["../a.json", "/etc/a.json", "a/../../b.json", "..\\a.json"])
def test_a_path_that_leads_out_of_a_zip_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "[1]")
    with pytest.raises(ConfigurationError, match="leads out"):
        read(path)


def test_a_zip_bomb_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps(["x" * 50_000_000]))
    with pytest.raises(ConfigurationError, match="grow more than 200 times"):
        read(path)
    monkeypatch.setattr(files, "MAX_ZIP_FILES", 2)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.json", "[1]")
    with pytest.raises(ConfigurationError, match="more than 2 files"):
        read(path)
    monkeypatch.setattr(files, "MAX_ZIP_FILES", 3)
    monkeypatch.setattr(files, "MAX_ZIP_BYTES", 8)
    with pytest.raises(ConfigurationError, match="holds more than"):
        read(path)


def test_a_zip_that_lies_about_a_size_or_is_damaged_or_encrypted_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps(["x" * 1_000_000]))
    good = path.read_bytes()
    at = good.rfind(b"PK\x01\x02")
    path.write_bytes(good[: at + 24] + struct.pack("<I", 10) + good[at + 28 :])
    with pytest.raises(ConfigurationError, match=r"cannot be read|is not JSON"):
        read(path)
    path.write_bytes(good[:60] + b"\xff" * 40 + good[100:])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(path)
    path.write_bytes(good[: at + 8] + struct.pack("<H", 1) + good[at + 10 :])
    with pytest.raises(ConfigurationError, match="encrypted"):
        read(path)
