"""No library of ours reports to anyone, or prepares to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_USE_ALL = """
from pathlib import Path
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.draft import Draft
from memory.core.values import *

caller = Caller(TenantId("acme"), AssistantId("bot"), frozenset())
ana, purpose = PersonId("ana"), PurposeId("assistance")
text = RawText("my sister Anna is at https://anna.example.co.uk or +44 7700 900461")
with open_tacit(Config(data=Path("data"))) as tacit:
    tacit.consents.grant(caller, ana, purpose, None)
    tacit.remember(Access(caller, ana, purpose), [Draft(text)])
    assert tacit.recall(Access(caller, ana, purpose), text, 1)
"""


def test_nothing_is_written_outside_the_data_folder(tmp_path: Path) -> None:
    """An id of the machine, a queue of events: what telemetry leaves before it sends."""
    subprocess.run(
        [sys.executable, "-c", _USE_ALL],
        cwd=tmp_path,
        check=True,
        timeout=120,
        # As on an ordinary machine: a CI variable would switch telemetry off by itself.
        env={"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "PATH": ""},
    )
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
