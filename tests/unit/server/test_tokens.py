"""Token keys: made once, kept from others, refused when damaged."""

from __future__ import annotations

import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from memory.core.values import AssistantId, PersonId, TenantId
from memory.errors import ConfigurationError
from server.auth import TokenVerifier
from server.tokens import (
    SigningKey,
    load_key_set,
    load_or_make_signing_key,
    load_signing_key,
    thumbprint,
)


def _mint(key: SigningKey, person: str | None = None) -> str:
    return key.mint(
        issuer="tacit",
        audience="tacit",
        tenant=TenantId("acme"),
        assistant=AssistantId("helper"),
        scopes=["memory.write", "memory.read"],
        lifetime=timedelta(minutes=5),
        person=PersonId(person) if person else None,
    )


def test_a_minted_token_is_accepted_by_a_verifier_of_its_key(tmp_path: Path) -> None:
    key = load_or_make_signing_key(tmp_path / "jwt.pem")
    caller = TokenVerifier({key.kid: key.public}, "tacit", "tacit").caller(f"Bearer {_mint(key)}")
    assert caller.tenant == TenantId("acme")
    assert caller.scopes == {"memory.read", "memory.write"}
    assert jwt.decode(_mint(key, "jane"), options={"verify_signature": False})["sub"] == "jane"


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "jwt.pem"
    first = load_or_make_signing_key(path)
    assert load_or_make_signing_key(path).kid == first.kid
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["jwt.pem"]


def test_two_servers_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    kids: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: kids.append(load_or_make_signing_key(tmp_path / "jwt.pem").kid)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kids) == 8
    assert len(set(kids)) == 1


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff\x00"])
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "jwt.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"jwt\.pem"):
        load_or_make_signing_key(path)
    assert path.read_bytes() == content


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jwt.pem"
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigurationError, match="Ed25519"):
        load_signing_key(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_signing_key(tmp_path / "jwt.pem")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="token key"):
        load_or_make_signing_key(tmp_path / "file" / "jwt.pem")


def test_the_kid_is_the_published_thumbprint() -> None:
    # RFC 8037, appendix A.2 and A.3.
    x = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    key = ed25519.Ed25519PublicKey.from_public_bytes(x)
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def _jwk(key: ed25519.Ed25519PublicKey, **more: str) -> dict[str, str]:
    return json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key)) | more  # type: ignore[no-any-return]


def test_a_key_set_gives_its_keys_by_kid(tmp_path: Path) -> None:
    keys = [ed25519.Ed25519PrivateKey.generate().public_key() for _ in range(3)]
    path = tmp_path / "jwks.json"
    named = [_jwk(keys[0], kid="a"), _jwk(keys[1], kid="b"), _jwk(keys[2])]
    path.write_text(json.dumps({"keys": named}))
    loaded = load_key_set(path)
    assert {kid: thumbprint(key) for kid, key in loaded.items()} == {
        "a": thumbprint(keys[0]),
        "b": thumbprint(keys[1]),
    }


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"keys": 3}', '{"keys": []}', '{"keys": [{}]}']
)
def test_a_damaged_key_set_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"jwks\.json"):
        load_key_set(path)


def test_a_key_set_without_usable_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [_jwk(ed25519.Ed25519PrivateKey.generate().public_key())]}))
    with pytest.raises(ConfigurationError, match="kid"):
        load_key_set(path)
    with pytest.raises(ConfigurationError, match="No such file"):
        load_key_set(tmp_path / "none.json")
