"""How the server starts, tells how it is, and ends: clearly, and without losing a call."""

from __future__ import annotations

import datetime as dt
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from memory.client import Client, Tls
from memory.errors import ConfigurationError
from memory.v1.consent_service_pb2 import ListConsentsRequest, ListPurposesRequest
from server.cli import app
from server.tls import server_credentials


def test_health_is_told_for_the_server_and_each_service(server: Any) -> None:
    stub = HealthStub(server.channel)
    for service in ("", "memory.v1.MemoryService", "memory.v1.OperatorService"):
        health = stub.Check(HealthCheckRequest(service=service), timeout=20)
        assert health.status == HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(HealthCheckRequest(service="memory.v2.Other"), timeout=20)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND  # type: ignore[attr-defined]


def test_a_second_server_on_the_same_port_fails_clearly(
    server: Any, tacit: Any, tacit_config: Any, serving: Any
) -> None:
    taken = replace(tacit_config, listen=server.address)
    with pytest.raises(ConfigurationError, match="in use"), serving(taken, tacit):
        pass


def test_a_call_that_was_accepted_is_finished_when_the_server_stops(
    tacit: Any, tacit_config: Any, serving: Any
) -> None:
    begun, gate = threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Any:
        begun.set()
        gate.wait(20)
        return tacit.consents.list(*arguments)

    slow = SimpleNamespace(clock=tacit.consents.clock, list=slowly)
    with serving(tacit_config, replace(tacit, consents=slow)) as running:
        helper = running.client()
        accepted = helper.consent.ListConsents.future(ListConsentsRequest(parent="people/jane"))
        assert begun.wait(10)
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(running.stop)
            watcher = HealthStub(running.channel)
            while (
                watcher.Check(HealthCheckRequest(), timeout=20).status
                == HealthCheckResponse.SERVING
            ):
                pass
            with pytest.raises(grpc.RpcError) as caught:
                helper.consent.ListPurposes(ListPurposesRequest())
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE  # type: ignore[attr-defined]
            gate.set()
            assert list(accepted.result(20).consents) == []
            stopping.result(30)
        (stopped,) = running.lines("stopped")
        assert stopped["unfinished"] == 0
        calls = {line["method"]: line["calls"] for line in running.lines("method")}
        assert calls["memory.v1.ConsentService/ListConsents"] == {"OK": 1}
    assert tacit.status().key_epoch >= 1  # the domain outlives the port


def test_a_call_that_outlasts_the_grace_is_cut_off(
    tacit: Any, tacit_config: Any, serving: Any
) -> None:
    begun, gate = threading.Event(), threading.Event()

    def stuck(*_: Any) -> Any:
        begun.set()
        gate.wait(20)
        return []

    slow = SimpleNamespace(clock=tacit.consents.clock, list=stuck)
    with serving(tacit_config, replace(tacit, consents=slow)) as running:
        future = running.client().consent.ListConsents.future(
            ListConsentsRequest(parent="people/jane")
        )
        assert begun.wait(10)
        running.stop(grace=0.1)
        gate.set()
        assert future.code() is not grpc.StatusCode.OK
        (stopped,) = running.lines("stopped")
        assert stopped["unfinished"] == 1


def test_a_watcher_of_health_does_not_hold_up_the_end(
    tacit: Any, tacit_config: Any, serving: Any
) -> None:
    with serving(tacit_config, tacit) as running:
        watch = HealthStub(running.channel).Watch(HealthCheckRequest(), timeout=60)
        assert next(watch).status == HealthCheckResponse.SERVING
        running.stop(grace=30)
        assert next(watch).status == HealthCheckResponse.NOT_SERVING


def test_a_plain_port_that_others_can_reach_says_so(
    tacit: Any, tacit_config: Any, serving: Any
) -> None:
    with serving(replace(tacit_config, listen="0.0.0.0:0"), tacit) as running:
        (started,) = running.lines("started")
        assert "tls_cert" in started["advice"]
    with serving(tacit_config, tacit) as running:
        (started,) = running.lines("started")
        assert (started["tls"], started["advice"]) == (False, "")
    for web_url, advised in (
        ("http://memory.example.org", True),
        ("https://memory.example.org", False),
    ):
        paged = replace(tacit_config, web="127.0.0.1:0", web_url=web_url)
        with serving(paged, tacit) as running:
            (started,) = running.lines("started")
            assert started["page"] == web_url
            assert bool(started["advice"]) is advised


def test_the_page_has_a_port_of_its_own_and_speaks_tls_where_the_server_does(
    tacit: Any, tacit_config: Any, serving: Any, authority: Authority
) -> None:
    cert, key = authority.issue("server")
    config = replace(tacit_config, web="127.0.0.1:0", tls_cert=cert, tls_key=key)
    with serving(
        config, tacit, grpc.ssl_channel_credentials(authority.file.read_bytes())
    ) as running:
        page = running.lines("started")[0]["page"]
        assert page.startswith("https://127.0.0.1:")
        answer = httpx.get(page, verify=ssl.create_default_context(cafile=authority.file))
        assert answer.headers["location"] == "/sign-in"
        assert answer.headers["set-cookie"].startswith("__Host-")
        taken = replace(tacit_config, web=page.removeprefix("https://"))
        with pytest.raises(ConfigurationError, match=r"web .* in use"), serving(taken, tacit):
            pass
        running.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(page, verify=False)


# TLS


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A CA that writes certificates and keys into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certify(self._name, self._key, ca=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        cert_file, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        cert_file.write_bytes(self._certify(_name(name), key, ca=False))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cert_file, key_file

    def _certify(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
        )
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def test_tls_is_spoken_when_there_is_a_certificate(
    tacit: Any, tacit_config: Any, serving: Any, authority: Authority
) -> None:
    cert, key = authority.issue("server")
    config = replace(tacit_config, tls_cert=cert, tls_key=key)
    trust = grpc.ssl_channel_credentials(authority.file.read_bytes())
    with serving(config, tacit, trust) as running:
        assert running.client().consent.ListPurposes(ListPurposesRequest()).purposes
        assert running.lines("started")[0]["tls"] is True
        probe = ["health", "--address", running.address, "--tls-ca", str(authority.file)]
        assert app.run(probe) == 0
        with grpc.insecure_channel(running.address) as plain, pytest.raises(grpc.RpcError):
            HealthStub(plain).Check(HealthCheckRequest(), timeout=5)


def test_a_client_without_a_certificate_stays_outside_when_one_is_demanded(
    tacit: Any, tacit_config: Any, serving: Any, authority: Authority, tmp_path: Path
) -> None:
    cert, key = authority.issue("server")
    config = replace(tacit_config, tls_cert=cert, tls_key=key, tls_client_ca=authority.file)
    root = authority.file.read_bytes()
    client_cert, client_key = authority.issue("client")
    own_cert, own_key = client_cert.read_bytes(), client_key.read_bytes()
    (tmp_path / "other").mkdir()
    foreign_cert, foreign_key = (
        path.read_bytes() for path in Authority(tmp_path / "other", "other").issue("client")
    )
    trusted = grpc.ssl_channel_credentials(root, own_key, own_cert)
    with serving(config, tacit, trusted) as running:
        caller = running.client()
        assert caller.consent.ListPurposes(ListPurposesRequest()).purposes
        own = Tls(ca=authority.file, cert=client_cert, key=client_key)
        with Client(running.address, token=caller.token, tls=own) as client:
            assert list(client.purposes())
        for credentials in (
            grpc.ssl_channel_credentials(root),
            grpc.ssl_channel_credentials(root, foreign_key, foreign_cert),
        ):
            with (
                grpc.secure_channel(running.address, credentials) as channel,
                pytest.raises(grpc.RpcError),
            ):
                HealthStub(channel).Check(HealthCheckRequest(), timeout=5)


def test_tls_files_that_do_not_fit_stop_the_start(
    tacit_config: Any, authority: Authority, tmp_path: Path
) -> None:
    cert, key = authority.issue("server")
    other_cert, other_key = authority.issue("other")
    junk = tmp_path / "junk.pem"
    junk.write_text("not PEM")
    missing = tmp_path / "missing.pem"
    for setting, files in (
        ("tls_cert", {"tls_cert": junk, "tls_key": key}),
        ("tls_cert", {"tls_cert": missing, "tls_key": key}),
        ("tls_key", {"tls_cert": cert, "tls_key": junk}),
        ("tls_key", {"tls_cert": cert, "tls_key": missing}),
        ("tls_key", {"tls_cert": cert, "tls_key": other_key}),
        ("tls_key", {"tls_cert": other_cert, "tls_key": key}),
        ("tls_client_ca", {"tls_cert": cert, "tls_key": key, "tls_client_ca": junk}),
    ):
        with pytest.raises(ConfigurationError, match=setting):
            server_credentials(replace(tacit_config, **files))
    assert server_credentials(tacit_config) is None


# The whole program


def test_a_taken_port_is_one_line_on_stderr(server: Any, tmp_path: Path) -> None:
    tacit = Path(sys.executable).with_name("tacit")
    done = subprocess.run(
        [tacit, "serve", "--data", tmp_path / "data", "--listen", server.address],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert server.address in line
    assert "in use" in line
