"""The trial of an export: a key that survives opens it, and a destroyed epoch does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memory.adapters.key_file import KeyFile
from memory.adapters.key_opening import open_surviving_keys
from memory.app.trial import Tried, trial_fields, try_keys
from memory.errors import InvalidArgumentError, KeyFileError
from tests.contract.deployment import Deployment


def test_the_key_of_an_export_opens_until_its_epoch_is_destroyed(url: str, tmp_path: Path) -> None:
    provider = KeyFile.create(tmp_path / "keys")
    deployment = Deployment(url, provider)
    (person, *_) = deployment.add(2)
    lines = [json.dumps({"type": "header", "trial": trial_fields(person)}).encode(), b"{}"]
    survivors = open_surviving_keys(f"file:{tmp_path / 'keys'}")
    assert try_keys(lines, survivors) == Tried(1, (1,), (1,))
    provider.new_epoch()
    assert try_keys(lines, open_surviving_keys(f"file:{tmp_path / 'keys'}")).opened == (1,)
    provider.destroy_epoch(1)
    assert try_keys(lines, open_surviving_keys(f"file:{tmp_path / 'keys'}")) == Tried(1, (2,), ())
    deployment.store.close()


def _changed(**fields: object) -> bytes:
    good = {"version": 1, "epoch": 1, "wrapped_key": "AA==", "aad": "AA=="}
    return json.dumps({"type": "header", "trial": good | fields}).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b'{"type": "header"}',
        b'{"type": "header", "trial": null}',
        _changed(version=2),
        _changed(wrapped_key="!"),
        _changed(wrapped_key="AAAA" * 6000),
        _changed(epoch="soon"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="trial"):
        try_keys([line], KeyFile.create(tmp_path / "keys"))


def test_no_key_is_made_for_a_trial(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        open_surviving_keys(f"file:{tmp_path / 'none'}")
    assert list(tmp_path.iterdir()) == []
