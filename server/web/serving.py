"""The page's own thread: its port, its event loop, and how both end.

Rules:
- The port is bound before anything is said to serve; what cannot be bound refuses the start.
- A port of its own: browsers and assistants never share one.
- Requests in hand are finished, unless they outlast the server's grace.
"""

from __future__ import annotations

import threading
from typing import Final

import uvicorn

from memory.bootstrap import Tacit
from memory.config import Config
from memory.errors import ConfigurationError
from server.limits import Meter
from server.listening import listen
from server.logs import Log
from server.web.app import make_app
from server.web.links import Links
from server.workers import Workers

_BACKLOG: Final = 128
_CONCURRENT: Final = 200
"""Connections at once; the rest are told to come back."""

_KEEP_ALIVE_SECONDS: Final = 15


class WebServer:
    """One listening page."""

    def __init__(
        self,
        config: Config,
        tacit: Tacit,
        workers: Workers,
        meter: Meter,
        log: Log,
        links: Links,
    ) -> None:
        """Listens. Raises `ConfigurationError`: the address is taken, or none of this machine."""
        assert config.web is not None
        try:
            self._socket = listen(config.web, backlog=_BACKLOG)
        except OSError:
            raise ConfigurationError(
                f"web {config.web}: in use by another program, or no address of this machine"
            ) from None
        self.url = config.web_url or _url(config, config.web, self._socket.getsockname()[1])
        links.page = self.url
        https = self.url.startswith("https://")
        app = make_app(config, tacit, workers, meter, log, links, https=https)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_CONCURRENT,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                ssl_certfile=config.tls_cert,
                ssl_keyfile=config.tls_key,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="tacit-page", daemon=True
        )

    def start(self) -> None:
        """Serves from now on."""
        self._thread.start()

    def stop(self, grace: float) -> None:
        """Refuses new requests, finishes accepted ones within `grace` seconds, frees the port."""
        self._server.config.timeout_graceful_shutdown = max(1, int(grace))
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _url(config: Config, web: str, port: int) -> str:
    host = web.rpartition(":")[0]
    return f"{'http' if config.tls_cert is None else 'https'}://{host}:{port}"
