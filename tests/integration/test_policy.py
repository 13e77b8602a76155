"""Each tenant's own policy decides what is hidden, and what is not even kept."""

from __future__ import annotations

import json
from pathlib import Path

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.values import RawText
from tests.integration.conftest import REVEAL, access, archive, caller, draft, grant

POLICIES = """
[actions]
EMAIL_ADDRESS = "redact"
[tenants.open]
[tenants.open.actions]
EMAIL_ADDRESS = "keep"
"""


def test_what_is_redacted_cannot_be_revealed_or_exported(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "policies.toml"
    file.write_text(POLICIES)
    with open_tacit(Config(data=folder, detection=file)) as tacit:
        grant(tacit)
        grant(tacit, purpose=REVEAL)
        said = "write to priya@example.com please, my sister Priya knows"
        tacit.remember(access(), [draft(said)])
        memories = [hit.memory for hit in tacit.recall(access(), RawText("write"))]
        (revealed,) = tacit.reveal(access(), memories)
        expected = "write to [email address] please, my sister Priya knows"
        assert revealed.words is not None
        assert revealed.words.text.value == expected
        exported = archive(tacit).decode()
        assert "example.com" not in exported
        assert [json.loads(line).get("text") for line in exported.splitlines()].count(expected) == 1

        other = access(by=caller(tenant="open"))
        tacit.consents.grant(other.caller, other.person, other.purpose, None)
        tacit.remember(other, [draft(said)])
        (hit,) = tacit.recall(other, RawText("write"))
        assert "priya@example.com" in hit.memory.content.text.value
