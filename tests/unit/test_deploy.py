"""What `deploy/` says of the server is what the code does. No container is started here."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from kubernetes import client as kubernetes

from memory.adapters.sql.engine import _READERS
from memory.config import SETTINGS, Config, load_config
from server.app import _CLOSE_SECONDS, GRACE_SECONDS
from server.cli.app import app
from server.limits import load_limits

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
YAML_FILES = sorted(DEPLOY.rglob("*.yaml"))

READ_BY_THE_COMMAND = {"TACIT_CONFIG", "TACIT_TLS_CA"}
"""`tacit serve --config`, and the clients' `--tls-ca`; everything else is a setting."""

_BUILT_IN = {"str": str, "int": int, "bool": bool, "object": object}


def _kustomization() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8"))


def _manifests() -> list[dict[str, Any]]:
    texts = [(DEPLOY / "kubernetes" / name).read_text("utf-8") for name in _files()]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text)]


def _files() -> list[str]:
    return _kustomization()["resources"]


def _manifest(kind: str, name: str) -> dict[str, Any]:
    (found,) = (m for m in _manifests() if (m["kind"], m["metadata"]["name"]) == (kind, name))
    return found


def _pod(name: str) -> dict[str, Any]:
    return _manifest("StatefulSet", name)["spec"]["template"]["spec"]


def _container(name: str) -> dict[str, Any]:
    (container,) = _pod(name)["containers"]
    return container


def _compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def _tacits() -> list[dict[str, Any]]:
    services = _compose()["services"]
    return [service for name, service in services.items() if name.startswith("tacit")]


def _instructions(word: str) -> list[str]:
    joined = CONTAINERFILE.replace("\\\n", " ")
    return re.findall(rf"^{word} +(.+)$", joined, re.MULTILINE)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a parsed file."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _fits(kind: str, value: Any, where: str) -> None:
    """Kubernetes' own model of `kind` has every field that `value` has, and gets all it needs."""
    if match := re.fullmatch(r"(?:[Ll]ist\[|[Dd]ict[\[(]str, )(.+)[\])]", kind):
        items = value if isinstance(value, list) else value.values()
        for item in items:
            _fits(match[1], item, where)
        return
    if kind in _BUILT_IN:
        assert isinstance(value, _BUILT_IN[kind]), f"{where}: {value!r} is no {kind}"
        return
    model = getattr(kubernetes, kind)
    names = {key: name for name, key in model.attribute_map.items()}
    assert value.keys() <= names.keys(), f"{where}: {value.keys() - names.keys()}"
    for key, each in value.items():
        _fits(model.openapi_types[names[key]], each, f"{where}.{key}")
    model(**{names[key]: each for key, each in value.items()})  # raises if something is missing


@pytest.mark.parametrize(
    "manifest", _manifests(), ids=lambda m: f"{m['kind']} {m['metadata']['name']}"
)
def test_kubernetes_knows_every_field_of_a_manifest(manifest: dict[str, Any]) -> None:
    _fits(f"V1{manifest['kind']}", manifest, manifest["kind"])


def test_a_misspelt_or_missing_field_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="replica"):
        _fits("V1StatefulSet", {"spec": {"replica": 3}}, "StatefulSet")
    with pytest.raises(ValueError, match="selector"):
        _fits("V1StatefulSetSpec", {"replicas": 3, "serviceName": "x", "template": {}}, "spec")


def test_every_manifest_is_applied() -> None:
    folder = DEPLOY / "kubernetes"
    generated = _kustomization()["configMapGenerator"]
    named = {*_files(), *(name for each in generated for name in each["files"])}
    assert {path.name for path in folder.iterdir()} == named | {"kustomization.yaml"}


# Settings


def test_every_variable_is_one_that_is_read() -> None:
    variables = {name for service in _tacits() for name in service["environment"]}
    variables |= {each["name"] for each in _container("tacit")["env"]}
    variables |= set(re.findall(r"\b(TACIT_\w+)=", CONTAINERFILE))
    ours = {name for name in variables if name.startswith("TACIT_")}
    assert len(ours) > 5
    known = {f"TACIT_{name.upper()}" for name in SETTINGS} | READ_BY_THE_COMMAND
    assert ours <= known


def _settings_in_kubernetes() -> Config:
    # The database's URL is a secret: one like those that the page shows.
    (url,) = set(re.findall(r"postgresql://\S+sslrootcert=[^\s']+", OPERATIONS))
    file = DEPLOY / "kubernetes" / "tacit.toml"
    return load_config(file=file, environ={"TACIT_DATABASE": url})


def _settings_in_compose() -> list[Config]:
    return [load_config(environ=s["environment"], folder=DEPLOY) for s in _tacits()]


def test_the_settings_are_good_ones_and_all_that_several_servers_need() -> None:
    limits = DEPLOY / "kubernetes" / "limits.toml"
    load_limits(tomllib.loads(limits.read_text("utf-8")), str(limits))
    for config in (_settings_in_kubernetes(), *_settings_in_compose()):
        assert urlsplit(config.chroma_location).scheme == "http"
        assert config.jwt_key_set is not None
        assert not config.key_provider.startswith(f"file:{config.data}")
    assert _settings_in_compose()[0] == _settings_in_compose()[1]
    assert _settings_in_kubernetes().tls_cert is not None


def test_every_file_that_a_setting_names_is_mounted() -> None:
    config, container = _settings_in_kubernetes(), _container("tacit")
    mounts = [Path(each["mountPath"]) for each in container["volumeMounts"]]
    paths = [config.data, config.tls_cert, config.tls_key, config.jwt_key_set]
    paths += [each["value"] for each in container["env"] if each.get("value", "").startswith("/")]
    paths += re.findall(r"(?:token_file|sslrootcert)=([^&]+)", f"{config.kek}&{config.database}")
    for path in map(Path, filter(None, paths)):
        assert any(mount in path.parents for mount in mounts), path
    for service in _tacits():
        (settings,) = {str(v) for k, v in service["environment"].items() if k == "TACIT_CONFIG"}
        assert Path(settings).name in service["secrets"]


def test_the_data_folder_is_not_the_root_of_a_volume_that_kubernetes_opens_to_a_group() -> None:
    mounts = {each["mountPath"] for each in _container("tacit")["volumeMounts"]}
    assert str(_settings_in_kubernetes().data) not in mounts
    assert _pod("tacit")["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


def test_replicas_share_no_data_folder_and_keep_it() -> None:
    claims = _manifest("StatefulSet", "tacit")["spec"]["volumeClaimTemplates"]
    assert [each["metadata"]["name"] for each in claims] == ["data"]
    folders = [v for s in _tacits() for v in s["volumes"] if v.endswith("/data")]
    assert len(set(folders)) == len(_tacits()) == 2


def test_the_database_takes_the_connections_of_every_replica() -> None:
    (most,) = re.findall(r"max_connections=(\d+)", str(_compose()["services"]["postgres"]))
    assert int(most) > _READERS * len(_tacits())
    assert f"{_READERS} connections" in OPERATIONS


# Ports, probes, and the end


def test_ports_agree_with_the_settings() -> None:
    listen, metrics = (
        int(str(address).rpartition(":")[2])
        for address in (SETTINGS["listen"].default, _settings_in_kubernetes().metrics_listen)
    )
    for config in (_settings_in_kubernetes(), *_settings_in_compose()):
        assert config.listen.endswith(f":{listen}")
        assert str(config.metrics_listen).endswith(f":{metrics}")
    assert _instructions("EXPOSE") == [str(listen)]
    ports = {each["name"]: each["containerPort"] for each in _container("tacit")["ports"]}
    assert ports == {"grpc": listen, "metrics": metrics}
    assert _manifest("Service", "tacit")["spec"]["ports"][0]["port"] == listen
    scraped = _manifest("StatefulSet", "tacit")["spec"]["template"]["metadata"]["annotations"]
    assert scraped["prometheus.io/port"] == str(metrics)
    assert {p.partition(":")[2].split(":")[1] for s in _tacits() for p in s["ports"]} == {
        str(listen)
    }
    allowed = _manifest("NetworkPolicy", "tacit")["spec"]["ingress"]
    assert [each["ports"][0]["port"] for each in allowed] == [listen, metrics]


def test_chroma_is_where_tacit_looks_for_it() -> None:
    service, container = _manifest("Service", "chroma"), _container("chroma")
    url = urlsplit(_settings_in_kubernetes().chroma_location)
    assert (url.hostname, url.port) == ("chroma", service["spec"]["ports"][0]["port"])
    assert str(url.port) in container["args"]
    composed = _compose()["services"]["chroma"]
    assert {c.chroma_location for c in _settings_in_compose()} == {url.geturl()}
    assert str(url.port) in composed["command"]
    perturbed = {each["name"]: each["value"] for each in container["env"]}
    assert perturbed == composed["environment"] == {"MALLOC_PERTURB_": "85"}


def test_probes_run_a_command_that_there_is() -> None:
    container = _container("tacit")
    probes = [container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    commands = [probe["exec"]["command"] for probe in probes]
    commands += [json.loads(text.partition("CMD ")[2]) for text in _instructions("HEALTHCHECK")]
    assert commands == [["tacit", "health"]] * 4
    assert "health" in {command.name for command in app.registered_commands}
    assert "TACIT_TLS_CA" in {each["name"] for each in container["env"]}


def test_a_server_has_the_time_that_it_gives_accepted_calls() -> None:
    needed = GRACE_SECONDS + 2 * _CLOSE_SECONDS
    before = _container("tacit")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert _pod("tacit")["terminationGracePeriodSeconds"] >= before + needed
    assert {int(s["stop_grace_period"].removesuffix("s")) >= needed for s in _tacits()} == {True}


def test_a_drain_leaves_two_replicas() -> None:
    budget = _manifest("PodDisruptionBudget", "tacit")["spec"]
    assert _manifest("StatefulSet", "tacit")["spec"]["replicas"] - budget["maxUnavailable"] >= 2


# Images, accounts, secrets, networks


def _images() -> set[str]:
    texts = [path.read_text("utf-8") for path in YAML_FILES]
    named = {name for text in texts for name in re.findall(r"\n +image: +(\S+)", text)}
    return named | {text.partition(" AS ")[0] for text in _instructions("FROM")}


def test_images_are_pinned_and_no_registry_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for image in _images():
        assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image), image
    tags = {image for image in _images() if image.startswith("tacit:")}
    assert tags == {f"tacit:{project['version']}"}
    assert _kustomization()["images"] == [{"name": "tacit", "newTag": project["version"]}]


def test_what_the_image_is_made_of_is_there_and_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for copied in _instructions("COPY"):
        if "--from=" not in copied:
            for name in copied.split()[:-1]:
                assert (ROOT / name).exists()
                assert f"!{name}" in ignored
    assert "*" in ignored
    for installed in re.findall(r"install --require-hashes -r (\S+)", CONTAINERFILE):
        assert installed in {"requirements.lock", "builders.lock", "key-providers.lock"}
    assert CONTAINERFILE.count("pip install") == 4  # three locks, and the wheel


@pytest.mark.parametrize("argument", ["BUILDERS", "KEY_PROVIDERS"])
def test_the_build_picks_whole_blocks_out_of_the_lock(argument: str) -> None:
    (wanted,) = re.findall(rf'^ARG {argument}="(.+)"$', CONTAINERFILE, re.MULTILINE)
    (program,) = re.findall(r"pick='(.+)'", CONTAINERFILE)
    lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
    command = ["awk", "-v", f"wanted={wanted}", program]
    picked = subprocess.run(command, input=lock, capture_output=True, text=True, check=True).stdout
    blocks = re.split(r"\n(?=\S)", lock)
    named = [block for block in blocks if block.partition("==")[0] in wanted.split()]
    assert len(named) == len(wanted.split())
    assert picked.rstrip("\n") == "\n".join(named).rstrip("\n")


def test_nobody_is_root_and_nothing_but_data_can_be_written() -> None:
    (account,) = _instructions("USER")
    uid, gid = map(int, account.split(":"))
    assert uid >= 10_000
    for name in ("tacit", "chroma"):
        pod, own = _pod(name)["securityContext"], _container(name)["securityContext"]
        assert (pod["runAsNonRoot"], pod["runAsUser"], pod["runAsGroup"]) == (True, uid, gid)
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert own == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert _pod(name)["automountServiceAccountToken"] is False
    for name, service in _compose()["services"].items():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("read_only") or name == "postgres"
    labels = _manifest("Namespace", "tacit")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_secret_is_written_down() -> None:
    assert "Secret" not in {manifest["kind"] for manifest in _manifests()}
    parsed: list[Any] = [list(yaml.safe_load_all(path.read_text("utf-8"))) for path in YAML_FILES]
    parsed += [tomllib.loads(path.read_text("utf-8")) for path in DEPLOY.rglob("*.toml")]
    for text in _texts(parsed):
        assert not re.search(r"://[^/\s]*:[^/\s]*@|-----BEGIN|\beyJ", text), text
    for name, secret in _compose()["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_the_page_says_how_to_make_each_secret_that_is_mounted() -> None:
    volumes = [each for each in _pod("tacit")["volumes"] if "secret" in each]
    names = {each["secret"]["secretName"] for each in volumes}
    taken = [each["valueFrom"] for each in _container("tacit")["env"] if "valueFrom" in each]
    names |= {each["secretKeyRef"]["name"] for each in taken}
    assert names == set(re.findall(r"create secret \S+ (tacit-\w+)", OPERATIONS))


def test_only_tacit_reaches_the_stores() -> None:
    networks = _compose()["networks"]
    assert networks["stores"] == {"internal": True}
    for name, service in _compose()["services"].items():
        tacit = name.startswith("tacit")
        assert service["networks"] == (["clients", "stores"] if tacit else ["stores"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert tacit or "ports" not in service
    nothing = _manifest("NetworkPolicy", "nothing")["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    chroma = _manifest("NetworkPolicy", "chroma")["spec"]
    assert "egress" not in chroma
    (ingress,) = chroma["ingress"]
    assert ingress["from"] == [
        {"podSelector": _manifest("NetworkPolicy", "tacit")["spec"]["podSelector"]}
    ]
