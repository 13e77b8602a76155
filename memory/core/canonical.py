"""JSON with one spelling: what is signed, hashed or compared must be written in one way."""

from __future__ import annotations

import json


def canonical(value: object) -> bytes:
    """Sorted keys, no white space, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
