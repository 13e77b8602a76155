"""`tacit verify`: what Tacit signed, checked offline; no server, no data folder, no account.

Rules:
- Nothing is said of a file whose signature does not verify.
- The key is given, never taken from the file: whoever can change the file could change it too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.output import FAILED, errors, out

if TYPE_CHECKING:
    from memory.core.signing import Verifier

_HEAD_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of signed file: how to know it by its first bytes, and what it says if it is good.

    `check` raises `SignatureError`, or another `TacitError` that says what does not fit.
    """

    name: str
    matches: Callable[[bytes], bool]
    check: Callable[[Path, Verifier], Mapping[str, str]]


def _checkpoint(file: Path, verifier: Verifier) -> Mapping[str, str]:
    origin, size, root = verifier.note(file.read_text("utf-8")).splitlines()[:3]
    return {"log": origin, "events": size, "root": root}


def _erasure(file: Path, verifier: Verifier) -> Mapping[str, str]:
    from memory.core.certificate import check

    said = check(file.read_bytes(), verifier)
    erased, key, scan = said["counts"]["erased"], said["key"], said["scan"]
    after = said["counts"]["after"]
    epoch = f"{key['provider']}, epoch {key['epoch']}: {key.get('epoch_state', 'no key')}"
    if key.get("epoch_due"):
        epoch += f" by {key['epoch_due']}"
    residuals = {
        f"cannot vouch for ({n})": f"{r['what']}: {r['holds']}; until {_ends(r)}"
        for n, r in enumerate(said["residuals"], 1)
    }
    return {
        "erasure": said["erasure"],
        "of": f"person {said['person']}",
        "scope": _scope(said["request"]["scope"]) if said["request"] else "person",
        "accepted": said["times"]["accepted"],
        "key destroyed": said["times"]["key_destroyed"],
        "certified": said["times"]["certified"],
        "erased": ", ".join(f"{count} {name}" for name, count in sorted(erased.items())),
        "left": str(sum(after.values())),
        "key": epoch,
        "residue scan": _scan(scan),
        **residuals,
    }


def _ends(residual: Mapping[str, str]) -> str:
    return residual.get("openable_until") or residual["ends"]


def _scope(scope: Mapping[str, object]) -> str:
    parts = [f"{name} {value}" for name, value in scope.items() if value and name != "what"]
    return ", ".join([str(scope["what"]), *parts])


def _scan(scan: Mapping[str, object]) -> str:
    if not scan.get("performed"):
        return "not performed"
    return f"{scan['residues']} found"


KINDS: Final = (
    Kind("checkpoint", lambda head: b"\n\n\xe2\x80\x94 " in head, _checkpoint),
    Kind("erasure certificate", lambda head: head.startswith(b'{"payload":"'), _erasure),
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="What Tacit signed.", exists=True, dir_okay=False)],
    key: Annotated[
        str, typer.Option(help="The deployment's verifier key, NAME+HASH+BASE64, or its file.")
    ],
    trial: Annotated[
        Path | None,
        typer.Option(
            help="An export from before the erasure: shows that no key left opens its key.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="For --trial: the data folder; its settings name the keys.")
    ] = None,
) -> None:
    """Checks a signed file against the deployment's published key and says what it proves."""
    from memory.core.signing import Verifier

    verifier = Verifier.parse(Path(key).read_text("utf-8") if Path(key).is_file() else key)
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    kind = next((k for k in KINDS if k.matches(head)), None)
    if kind is None:
        kinds = ", ".join(k.name for k in KINDS)
        raise typer.BadParameter(f"{file} is none of these: {kinds}")
    facts = kind.check(file, verifier)
    article = "an" if kind.name[0] in "aeiou" else "a"
    out.print(f"good: {article} {kind.name} signed by {verifier.name}", style="green")
    for name, value in facts.items():
        out.print(f"  {name}: {value}", markup=False)
    if trial is not None:
        _try(trial, data)


def _try(export: Path, data: Path | None) -> None:
    """Tries the key of an export against every key-encryption key that is left."""
    from memory.adapters.key_opening import open_surviving_keys
    from memory.app.trial import try_keys
    from memory.config import load_config

    provider = open_surviving_keys(
        load_config(environ=os.environ, flags={"data": data}).key_provider
    )
    try:
        with export.open("rb") as lines:
            tried = try_keys(lines, provider)
    finally:
        provider.close()
    alive = ", ".join(map(str, tried.alive))
    if tried.opened:
        epochs = ", ".join(map(str, tried.opened))
        errors.print(f"the key of {export} still opens under epoch {epochs}", style="red")
        raise typer.Exit(FAILED)
    out.print(
        f"good: the key of {export}, wrapped under epoch {tried.epoch}, opens under none of those "
        f"that are left ({alive})",
        style="green",
        markup=False,
    )
