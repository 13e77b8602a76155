"""A server as anyone would run it: `tacit serve` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from memory.errors import TacitError

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 45.0
"""More than the server's own grace."""


class ServerStartError(TacitError):
    """`tacit serve` ended instead of serving; the message is its own last line."""


@dataclass
class ServerProcess:
    """One `tacit serve` on a free port; its log is `<data>.log`, beside the data folder."""

    data: Path
    arguments: tuple[str, ...] = ()
    address: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    def start(self) -> float:
        """Starts it; returns after how many seconds it served.

        Raises:
            ServerStartError: it ended, or does not serve within `START_SECONDS`.
        """
        began = time.monotonic()
        command = [sys.executable, "-m", "server.cli", "serve", "--data", str(self.data)]
        # What the caller's shell sets for other servers is not meant for this one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TACIT_")}
        skip = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--listen", "127.0.0.1:0", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        while time.monotonic() - began < START_SECONDS:
            ended = self._process.poll() is not None
            lines = self.log.read_bytes()[skip:].decode(errors="replace").splitlines()
            if address := next(filter(None, map(_started, lines)), ""):
                self.address = address
                return time.monotonic() - began
            if ended:
                raise ServerStartError(
                    lines[-1].removeprefix("error: ")
                    if lines
                    else "the server ended without a word"
                )
            time.sleep(0.02)
        self.kill()
        raise ServerStartError(f"the server does not serve after {START_SECONDS:.0f} seconds")

    def stop(self) -> int:
        """Asks it to finish what it accepted and end; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _started(line: str) -> str:
    """The address in the log line that says the server serves; empty for any other."""
    try:
        event = json.loads(line)
    except ValueError:
        return ""
    return event.get("address", "") if event.get("event") == "started" else ""
