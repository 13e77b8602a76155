"""Who looks at a server: Prometheus, a trace collector, both, or nobody.

Rules:
- Nobody, unless it is configured; then nothing of it is loaded.
- Metrics hold no personal data, but how much a deployment is used: their address is for its
  operators, so it wants a private network or loopback.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer

from memory.config import Config
from memory.errors import ConfigurationError
from memory.ports import NOBODY, Observer

if TYPE_CHECKING:
    from server.instruments import Instruments
    from server.traces import Traces


@dataclass(frozen=True, slots=True)
class Observation:
    """What was configured."""

    instruments: Instruments | None = None
    traces: Traces | None = None

    @property
    def observer(self) -> Observer:
        """What the use cases tell."""
        return NOBODY if self.instruments is None else self.instruments

    def close(self) -> None:
        """Sends what is left of traces."""
        if self.traces is not None:
            self.traces.close()


UNOBSERVED = Observation()


def observation(config: Config) -> Observation:
    """As the settings say. Raises `ConfigurationError`."""
    if config.metrics_listen is None and config.traces is None:
        return UNOBSERVED
    from server.instruments import Instruments

    traces = None
    if config.traces is not None:
        from server.traces import traces_to

        traces = traces_to(config.traces, version("tacit-memory"))
    return Observation(Instruments(traces), traces)


class Exposition:
    """The address that Prometheus scrapes."""

    def __init__(self, listen: str, instruments: Instruments) -> None:
        """Listens. Raises `ConfigurationError`: the address is taken, or none of this machine."""
        from prometheus_client import start_http_server

        host, _, port = listen.rpartition(":")
        try:
            self._server: WSGIServer
            self._thread: threading.Thread
            self._server, self._thread = start_http_server(
                int(port), host.strip("[]"), instruments.registry
            )
        except OSError:
            raise ConfigurationError(
                f"metrics_listen {listen}: in use by another program, or no address of this machine"
            ) from None
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
