"""The settings: three sources, one order of strength, and no silent mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.config import SETTINGS, Config, load_config
from memory.errors import ConfigurationError


def _load(
    folder: Path, toml: str = "", env: dict[str, str] | None = None, **flags: object
) -> Config:
    if toml:
        (folder / "tacit.toml").write_text(toml, encoding="utf-8")
    return load_config(environ=env or {}, flags=flags, folder=folder)


def test_nothing_at_all_is_a_working_configuration(tmp_path: Path) -> None:
    config = _load(tmp_path)
    assert config.listen == "127.0.0.1:50051"
    assert config.data == Path("tacit-data")
    assert config.database_url == "sqlite:///tacit-data/tacit.db"
    assert config.chroma_location == "tacit-data/chroma"
    assert config.key_provider == "file:tacit-data/tacit.key"


def test_the_environment_beats_the_file_and_a_flag_beats_both(tmp_path: Path) -> None:
    toml = "jwt_issuer = 'file'\nworker_threads = 2\nlisten = 'localhost:1'"
    env = {"TACIT_JWT_ISSUER": "environment", "TACIT_WORKER_THREADS": "3"}
    config = _load(tmp_path, toml, env, jwt_issuer="flag", listen=None)
    assert (config.jwt_issuer, config.worker_threads, config.listen) == ("flag", 3, "localhost:1")


def test_every_setting_can_come_from_each_source(tmp_path: Path) -> None:
    values = {
        "data": "d",
        "listen": "[::1]:1",
        "web": "localhost:8080",
        "web_url": "https://memory.example.org",
        "openid": "o.toml",
        "tls_cert": "c",
        "tls_key": "k",
        "tls_client_ca": "ca",
        "database": "postgresql+pg8000://u:p@h/db",
        "chroma": "http://h:8000",
        "chroma_files": "cf",
        "kek": "file:kf",
        "key_cache_seconds": "60",
        "jwt_issuer": "i",
        "jwt_audience": "a",
        "jwt_key_set": "jwks.json",
        "erasure_seconds": "60",
        "signing_name": "memory.example.org",
        "purposes": "p.toml",
        "detection": "d.toml",
        "protection": "v.toml",
        "limits": "l.toml",
        "sealed_megabytes": "64",
        "idle_seconds": "60",
        "encoder": "e",
        "max_message_bytes": "65536",
        "worker_threads": "1",
        "recall_processes": "2",
        "metrics_listen": "localhost:9464",
        "traces": "http://localhost:4317",
        "search_in_memory": "0",
    }
    assert set(values) == set(SETTINGS)
    from_env = _load(tmp_path, env={f"TACIT_{k.upper()}": v for k, v in values.items()})
    assert from_env == _load(tmp_path, **values)
    tls = {"tls_cert": "c", "tls_key": "k"}
    served = {"chroma": "http://h:8000"}
    page = {"web": "localhost:8080"}
    for name, value in values.items():
        toml = tmp_path / "one.toml"
        needed = {**(tls if name.startswith("tls") else {}), name: value}
        needed |= served if name == "chroma_files" else {}
        needed |= page if name in {"web_url", "openid"} else {}
        toml.write_text("\n".join(f"{k} = {v!r}" for k, v in needed.items()), encoding="utf-8")
        config = load_config(file=toml, environ={})
        assert getattr(config, name) != SETTINGS[name].default


def test_there_is_no_setting_that_nothing_reads() -> None:
    root = Path(__file__).parents[2]
    readers = [root / "memory" / name for name in ("bootstrap.py", "configured.py")]
    readers.extend((root / "server" / "web").glob("*.py"))
    code = "".join(
        path.read_text(encoding="utf-8") for path in [*readers, *(root / "server").glob("*.py")]
    )
    derived = {"database": "database_url", "chroma": "chroma_location", "kek": "key_provider"}
    unread = [name for name in SETTINGS if f"config.{derived.get(name, name)}" not in code]
    assert unread == []


def test_an_unknown_key_is_an_error_that_names_key_and_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"tacit\.toml: unknown setting 'keyfile'"):
        _load(tmp_path, "keyfile = 'x'")


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file"):
        load_config(file=tmp_path / "none.toml", environ={})


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tacit.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"tacit\.toml: not valid TOML"):
        _load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen", "50051"),
        ("listen", "host:99999"),
        ("database", "mysql://h/db"),
        ("chroma", "ftp://h"),
        ("kek", "somewhere"),
        ("metrics_listen", "9464"),
        ("traces", "localhost:4317"),
        ("traces", "http://localhost"),
        ("web", "8080"),
        ("web_url", "https://memory.example.org/page"),
        ("web_url", "memory.example.org"),
        ("kek", "vault:"),
        ("key_cache_seconds", 0),
        ("worker_threads", "many"),
        ("worker_threads", True),
        ("worker_threads", 0),
        ("worker_threads", 1.5),
        ("worker_threads", 257),
        ("jwt_issuer", ""),
        ("data", 7),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_setting(
    tmp_path: Path, name: str, value: object
) -> None:
    with pytest.raises(ConfigurationError, match=name):
        _load(tmp_path, **{name: value})


def test_a_wrong_value_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TACIT_LISTEN"):
        _load(tmp_path, env={"TACIT_LISTEN": "nowhere"})


def test_what_other_programs_put_into_the_environment_is_left_alone(tmp_path: Path) -> None:
    assert _load(tmp_path, env={"TACIT_PORT_50051_TCP": "tcp://10.0.0.1"}) == Config()


@pytest.mark.parametrize(
    "half",
    [{"tls_cert": "c"}, {"tls_key": "k"}, {"tls_client_ca": "ca"}],
    ids=lambda h: next(iter(h)),
)
def test_half_a_tls_set_up_does_not_serve_plain_text(tmp_path: Path, half: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="tls_"):
        _load(tmp_path, **half)


def test_files_of_a_chroma_server_need_the_server(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="chroma_files"):
        Config(chroma_files=tmp_path)
    Config(chroma_files=tmp_path, chroma="http://localhost:8000")


def test_relative_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    toml = "data = 'd'\nchroma = 'c'\nkek = 'file:k'\njwt_key_set = '/abs/jwks.json'"
    config = _load(tmp_path, toml)
    assert config.data == tmp_path / "d"
    assert config.chroma == str(tmp_path / "c")
    assert config.kek == f"file:{tmp_path / 'k'}"
    assert config.jwt_key_set == Path("/abs/jwks.json")


def test_a_password_in_the_database_url_is_not_printed() -> None:
    config = Config(database="postgresql://tacit:hunter2@db/tacit")
    assert "hunter2" not in repr(config)
    assert "postgresql://tacit:…@db/tacit" in repr(config)
    assert config.database_url.endswith("hunter2@db/tacit")
