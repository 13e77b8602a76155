"""A data folder is private and has one holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memory.adapters.data_folder import DataFolder
from memory.errors import ConfigurationError, DataFolderInUseError

ROOT = Path(__file__).parents[2]
_HOLDER = """
import sys, time
from pathlib import Path
from memory.adapters.data_folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "a" / "data") as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    with DataFolder(tmp_path / "data") as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_filled_folder_open_to_others_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        DataFolder(tmp_path)
    assert os.listdir(tmp_path) == ["file"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "data")
    with pytest.raises(DataFolderInUseError, match="another server"):
        DataFolder(tmp_path / "data")
    first.close()
    first.close()
    with DataFolder(tmp_path / "data"):
        pass


def test_another_process_is_refused_and_kill_nine_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "data"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(DataFolderInUseError):
        DataFolder(path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with DataFolder(path):
        pass


def test_a_folder_that_cannot_be_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "data", Path("/proc/nowhere/data")):
        with pytest.raises(ConfigurationError, match="cannot be used"):
            DataFolder(path)
