"""The disk itself, block by block: what is left of the forgotten opens with no key that is left.

A file system of its own on a loop device holds a whole data folder, key file included; once it is
unmounted, every byte of the image is read, freed blocks and journal too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from memory.adapters.key_opening import open_surviving_keys
from memory.adapters.residue_scan import Place, scan
from memory.app.trial import try_keys
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.residue import Kind, Needles, StoreName
from memory.core.values import PersonId
from tests.integration.conftest import archive, caller, grant, recall, store, wait_indexed
from tests.integration.planted import conversation

ALICE = PersonId("alice")
MEGABYTES = 96
KEY_OF_FIRST_SLOT = slice(72, 104)
"""Of the key file, as `memory.adapters.key_file` describes it."""


class Disk:
    """An ext4 image, and where it is mounted."""

    def __init__(self, folder: Path) -> None:
        self.image, self.mounted = folder / "disk.img", folder / "disk"
        self.mounted.mkdir()
        with self.image.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        _run("mkfs.ext4", "-q", "-F", str(self.image))
        _run("mount", "-o", "loop", str(self.image), str(self.mounted))

    def unmount(self) -> None:
        _run("umount", str(self.mounted))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is not installed (e2fsprogs)")
    try:
        made = Disk(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no file system can be mounted here: {error.stderr.decode().strip()}")
    yield made
    with suppress(subprocess.CalledProcessError):  # the test did it
        made.unmount()


def test_no_block_of_the_disk_holds_a_word_or_a_key_that_opens(disk: Disk, tmp_path: Path) -> None:
    data = disk.mounted / "data"
    turns = [turn for number in range(6) for turn in conversation(number).turns]
    device = [Place(StoreName.DEVICE, disk.image)]
    with open_tacit(Config(data=data)) as tacit:
        for person in ("alice", "bob"):
            grant(tacit, person)
        store(tacit, *turns)
        store(tacit, "coffee in the morning", person="bob")
        wait_indexed(tacit)
        export = archive(tacit).splitlines()
        with tacit.recall.store.read() as uow:
            person = uow.person(tacit.recall.keyring.ref(caller().tenant, ALICE))
        assert person is not None
        needles = tacit.residue.gather(person, ALICE)
        master = Needles()
        master.add_wrapped_keys([(data / "tacit.key").read_bytes()[KEY_OF_FIRST_SLOT]])
        os.sync()
        before = scan(device, needles)
        assert before.found[Kind.WRAPPED_KEY] == 1
        assert before.found[Kind.VEILED_VECTOR] > 0
        assert scan(device, master).found == {Kind.WRAPPED_KEY: 1}
        erasure = tacit.forget(caller(), ALICE, at_once=True, wait=60)
        assert erasure.epoch_destroyed_at is not None
        assert recall(tacit, "coffee", person="bob") == ["coffee in the morning"]
    shutil.copyfile(data / "tacit.key", tmp_path / "tacit.key")
    (tmp_path / "tacit.key").chmod(0o600)
    disk.unmount()
    after = scan(device, needles)
    print(f"looked for {dict(needles.items)}, on the raw device: {after.found}")
    assert after.unread == []
    assert {after.found.get(kind, 0) for kind in (Kind.TEXT, Kind.NAME, Kind.VECTOR)} == {0}
    assert scan(device, master).found == {}, "the key of the destroyed epoch"
    survivors = open_surviving_keys(f"file:{tmp_path / 'tacit.key'}")
    assert try_keys(export, survivors).opened == ()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
