"""An assistant in a test: the MCP SDK's own client before `tacit mcp`, and a person who answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from memory.config import Config
from server.cli.session import mint_local
from server.demo.process import ServerProcess

YES = types.ElicitResult(action="accept", content={"yes": True})
NO = types.ElicitResult(action="accept", content={"yes": False})
DECLINED = types.ElicitResult(action="decline")
DISMISSED = types.ElicitResult(action="cancel")
EMPTY = types.ElicitResult(action="accept")
VAGUE = types.ElicitResult(action="accept", content={"yes": "if you say so, yes"})
BROKEN = types.ErrorData(code=types.INTERNAL_ERROR, message="no window to ask in")

SCOPES = ("memory.write", "memory.read", "memory.reveal", "consent.manage", "data.erase")

PATH = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
"""The SDK hands a process little of the environment; this tells it which sources are tried."""

Reply = types.ElicitResult | types.ErrorData


@dataclass
class Someone:
    """Who is asked: gives these replies in turn, the last one again."""

    replies: list[Reply]
    asked: list[types.ElicitRequestFormParams] = field(default_factory=list)

    async def __call__(self, _: Any, question: Any) -> Reply:
        self.asked.append(question)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def someone(*replies: Reply) -> Someone:
    """Someone who replies so."""
    return Someone(list(replies))


@dataclass
class Assistant:
    """A session, whose results are what the tools said."""

    session: ClientSession

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The structured result, which the SDK holds to the tool's schema."""
        result = await self.session.call_tool(tool, arguments)
        assert not result.isError, result.content
        assert result.structuredContent is not None
        return result.structuredContent

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """What the error says."""
        result = await self.session.call_tool(tool, arguments)
        assert result.isError, result.content
        (content,) = result.content
        assert isinstance(content, types.TextContent)
        return content.text

    async def read(self, uri: str) -> dict[str, Any]:
        """A resource."""
        (content,) = (await self.session.read_resource(types.AnyUrl(uri))).contents
        assert isinstance(content, types.TextResourceContents)
        assert content.mimeType == "application/json"
        read: dict[str, Any] = json.loads(content.text)
        return read


def token(server: ServerProcess, person: str | None, client: str = "companion") -> str:
    """Someone's own token, or (None) an assistant's."""
    return mint_local(
        Config(data=server.data),
        tenant="local",
        client=client,
        scopes=SCOPES,
        person=person,
        lifetime=timedelta(minutes=10),
    )


@asynccontextmanager
async def over_stdio(
    server: ServerProcess,
    person: str,
    asked: Someone | None,
    log: Path,
    *,
    client: str = "companion",
) -> AsyncIterator[Assistant]:
    """`tacit mcp --person …` in a process of its own."""
    process = StdioServerParameters(
        command=sys.executable,
        args=["-m", "server.cli", "mcp", "--person", person, "--client", client],
        env={"TACIT_ADDRESS": server.address, "TACIT_DATA": str(server.data)} | PATH,
    )
    with log.open("a") as errors:
        async with (
            stdio_client(process, errors) as (reads, writes),
            ClientSession(reads, writes, elicitation_callback=asked) as session,
        ):
            await session.initialize()
            yield Assistant(session)


@asynccontextmanager
async def over_http(url: str, bearer: str, asked: Someone | None) -> AsyncIterator[Assistant]:
    """A session at a server that serves already, with this token."""
    headers = {"Authorization": f"Bearer {bearer}"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=60) as http,
        streamable_http_client(url, http_client=http) as (reads, writes, _),
        ClientSession(reads, writes, elicitation_callback=asked) as session,
    ):
        await session.initialize()
        yield Assistant(session)


@contextmanager
def serving_http(server: ServerProcess, log: Path, *more: str) -> Iterator[str]:
    """`tacit mcp --http …` in a process of its own; where it serves."""
    command = [sys.executable, "-m", "server.cli", "mcp", "--http", "127.0.0.1:0", *more]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*command, "--address", server.address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            assert first.startswith("serves MCP on "), first
            yield first.split()[3].rstrip(",")
        finally:
            process.terminate()
            said, warned = process.communicate(timeout=30)
            errors.write(said + warned)
