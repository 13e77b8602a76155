"""The answer of an rpc that is part of the contract and not built yet."""

from __future__ import annotations

from typing import NoReturn

from google.protobuf.message import Message

from server.call import Call
from server.errors import NotBuiltError


def unbuilt(call: Call, _request: Message | None = None) -> NoReturn:
    """Refuses with UNIMPLEMENTED."""
    raise NotBuiltError(f"{call.method} is not built yet", method=call.method)
