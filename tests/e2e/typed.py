"""What a page tells its reader to type, and typing it: real processes, a real server.

Two things differ from the page: the ports, which are free ones, and that `make` only says what it
would do, since the tests run in what it makes.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from server.demo.process import ServerProcess

ROOT = Path(__file__).parents[2]
PORT = "127.0.0.1:50051"

Result = subprocess.CompletedProcess[str]

_BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<code>.*?)^```$"
    r"|(?<=\n\n)(?P<indented>(?: {4}[^\n]*\n|\n(?= {4}))+)",
    re.MULTILINE | re.DOTALL,
)


def blocks(page: str) -> list[tuple[str, str]]:
    """`sh` with one command, or `python` with a program: all of a page, in its order.

    A block that is indented, or fenced as `sh`, is for the shell.
    """
    found = []
    for block in _BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        if block["language"] == "python":
            found.append(("python", block["code"]))
        elif block["language"] == "sh" or block["indented"]:
            code = textwrap.dedent(block["code"] or block["indented"]).replace("\\\n", " ")
            found += [("sh", line) for line in code.splitlines() if line.split("#")[0].strip()]
    return found


@dataclass
class Terminal:
    """A folder to type in; `tacit serve` goes on beside what follows, until the next one."""

    folder: Path
    server: ServerProcess | None = field(default=None)

    def type(self, line: str) -> Result:
        """Runs one command to its end, in a shell; a server until it serves."""
        words = shlex.split(line, comments=True)
        if words[:2] == ["tacit", "serve"]:
            self.close()
            free = [re.sub(r":\d+$", ":0", word) for word in words[2:]]
            self.server = ServerProcess(self.folder / "tacit-data", tuple(free))
            self.server.start()
            return Result(line, 0, "", "")
        if words[0] == "make":
            line = f"make --dry-run --directory {shlex.quote(str(ROOT))} {shlex.join(words[1:])}"
        return self._run(["bash", "-c", self._here(line)])

    def python(self, code: str) -> Result:
        return self._run([sys.executable, "-W", "error", "-c", self._here(code)])

    def close(self) -> None:
        if self.server is not None:
            assert self.server.stop() == 0
        self.server = None

    def _here(self, typed: str) -> str:
        return typed.replace(PORT, self.server.address) if self.server else typed

    def _run(self, command: list[str]) -> Result:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TACIT_")}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        if self.server:
            environment["TACIT_ADDRESS"] = self.server.address
        return subprocess.run(
            command,
            cwd=self.folder,
            input="y\n",  # what `tacit forget` asks
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
