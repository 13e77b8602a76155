"""TLS for the listening port: certificate and key, and a CA that clients must come with.

The files are read and matched at start: gRPC itself would only say that a handshake failed.
"""

from __future__ import annotations

from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from memory.config import Config
from memory.errors import ConfigurationError


def server_credentials(config: Config) -> grpc.ServerCredentials | None:
    """Credentials of the port; None when it serves plain text.

    Raises:
        ConfigurationError: a file is missing, malformed, or fits the others not.
    """
    if config.tls_cert is None or config.tls_key is None:
        return None
    chain = _read("tls_cert", config.tls_cert)
    key = _read("tls_key", config.tls_key)
    certificate = _certificates("tls_cert", config.tls_cert, chain)[0]
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError):
        raise ConfigurationError(f"tls_key {config.tls_key}: not a plain PEM key") from None
    if private.public_key() != certificate.public_key():
        raise ConfigurationError(f"tls_key {config.tls_key} is not the key of {config.tls_cert}")
    client_ca = None
    if config.tls_client_ca is not None:
        client_ca = _read("tls_client_ca", config.tls_client_ca)
        _certificates("tls_client_ca", config.tls_client_ca, client_ca)
    return grpc.ssl_server_credentials(
        [(key, chain)], root_certificates=client_ca, require_client_auth=client_ca is not None
    )


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting} {path}: {error.strerror}") from None


def _certificates(setting: str, path: Path, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ConfigurationError(f"{setting} {path}: holds no PEM certificate") from None
