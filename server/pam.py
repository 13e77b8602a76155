"""Portable AI Memory (PAM) 1.0, https://portable-ai-memory.org/spec/v1.0: what of an archive fits.

    memory.kind    fact ▸ fact, preference ▸ preference, any other ▸ custom, named by custom_type
    text, times    content, temporal.created_at (event_time, else stored_at), temporal.updated_at
    session        provenance.conversation_ref
    labels, …      metadata, with speaker, purpose and assistant

Older versions, the vault, consents and events have no place in it: Tacit's own archive has them.

Rules:
- Written as it streams: memory does not grow with the archive. PAM's checksum over all memories
  is optional and needs them all at once, in RFC 8785 form and sorted by id, so there is none; each
  memory has its content hash (section 9.4).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from memory.core.archive import Reader, lines_of

_TYPES: Final = {"fact": "fact", "preference": "preference"}
_SPACE: Final = re.compile(r"\s+")


def to_pam(archive: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a PAM memory store from those of an archive; a line feed behind each memory.

    Raises:
        ArchiveError: it is not an archive, or not a whole one.
    """
    reader = Reader()
    written, separator = False, b""
    for raw in lines_of(archive):
        line = reader.read(raw)
        if not written and reader.header:
            written = True
            yield _head(reader.header)
        if line is not None and line.type == "memory":
            yield separator + json.dumps(_memory(line.fields), ensure_ascii=False).encode() + b"\n"
            separator = b","
    reader.finish()
    yield b"]}"


def content_hash(content: str) -> str:
    """Of the trimmed, lower-cased, NFC text with its white space collapsed."""
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", content.strip().lower()))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _head(header: Mapping[str, Any]) -> bytes:
    store = {
        "schema": "portable-ai-memory",
        "schema_version": "1.0",
        "spec_uri": "https://portable-ai-memory.org/spec/v1.0",
        "export_id": header["id"],
        "exported_by": f"tacit-memory/{version('tacit-memory')}",
        "export_date": header["time"],
        "export_type": "full",
        "owner": {"id": header["person"]},
        "relations": [],
        "conversations_index": [],
    }
    return json.dumps(store, ensure_ascii=False)[:-1].encode() + b', "memories": ['


def _memory(line: Mapping[str, Any]) -> dict[str, Any]:
    kind = _TYPES.get(line["kind"], "custom")
    return {
        "id": line["id"],
        "type": kind,
        "custom_type": line["kind"] if kind == "custom" else None,
        "status": "active",
        "content": line["text"],
        "content_hash": content_hash(line["text"]),
        "temporal": {
            "created_at": line["event_time"] or line["stored_at"],
            "updated_at": line["updated_at"],
        },
        "provenance": {
            "platform": "tacit",
            "conversation_ref": line["session"] or None,
            "extraction_method": "api_export",
            "extracted_at": line["stored_at"],
        },
        "metadata": {name: line[name] for name in ("speaker", "labels", "purpose", "assistant")},
    }
