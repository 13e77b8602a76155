"""Writes `docs/api/` from `proto/memory/v1/`: `python -m tools.api_reference`.

One page for each proto file: its services and their calls, messages and enums, in the words of the
source's comments. Types lead to where they are described.

Rules:
- The pages are committed, so that they can be read without a build; a test proves that they match.
- Nothing is said here that the proto does not say; what is wrong on a page is put right there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from tools.generate_stubs import ROOT, run_protoc

PAGES: Final = ROOT / "docs" / "api"

_PACKAGE: Final = ".memory.v1."
_SYNTAX: Final = (12,)
_MADE: Final = "<!-- Made by `python -m tools.api_reference`; the source is {source}. -->"

Place = tuple[int, ...]
"""Where something stands in its file, as descriptor.proto numbers it."""


class Page:
    """What the source says of one file's elements, and where the types of all files are."""

    def __init__(self, file: FileDescriptorProto, homes: dict[str, str]) -> None:
        self.file = file
        self.name = page_name(file)
        self._homes = homes
        self._comments = {
            tuple(location.path): location.leading_comments or location.trailing_comments
            for location in file.source_code_info.location
        }

    def said(self, place: Place) -> str:
        """The comment as Markdown; what is indented in it stays as it is laid out."""
        shown: list[str] = []
        was_laid_out = False
        for line in (line.removeprefix(" ") for line in self._at(place)):
            laid_out = line.startswith("  ")
            if laid_out != was_laid_out and line:
                shown.append("")
            shown.append(f"  {line}" if laid_out else line)
            was_laid_out = laid_out
        return "\n".join(shown).strip("\n")

    def said_in_a_cell(self, place: Place) -> str:
        """The same in one line; an example, which ends it, as code."""
        line = " ".join(" ".join(self._at(place)).split()).replace("|", "\\|")
        return re.sub(r"\{ .+ \}$", r"`\g<0>`", line)

    def _at(self, place: Place) -> list[str]:
        return self._comments.get(place, "").splitlines()

    def type_of(self, name: str) -> str:
        """A message or enum, with where it is described."""
        if not name.startswith(_PACKAGE):
            return f"`{name.removeprefix('.')}`"
        short = name.removeprefix(_PACKAGE)
        home = self._homes[name]
        page = "" if home == self.name else f"{home}.md"
        return f"[`{short}`]({page}#{anchor(short)})"


def write(into: Path) -> None:
    """Write a page for each proto file, and no other, into that folder."""
    descriptors = describe()
    homes = {name: page_name(file) for file in descriptors for name in _types(file)}
    into.mkdir(parents=True, exist_ok=True)
    for old in into.glob("*.md"):
        old.unlink()
    for file in descriptors:
        page = Page(file, homes)
        (into / f"{page.name}.md").write_text(text(page), encoding="utf-8")


def describe() -> list[FileDescriptorProto]:
    """The files of the contract with their comments, by name. Raises `StubGenerationError`."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        run_protoc("--include_source_info", f"--descriptor_set_out={out}")
        return list(FileDescriptorSet.FromString(out.read_bytes()).file)


def page_name(file: FileDescriptorProto) -> str:
    """`memory-service` for memory_service.proto."""
    return Path(file.name).stem.replace("_", "-")


def anchor(heading: str) -> str:
    """As Markdown's `toc` makes it of a heading."""
    return re.sub(r"[^\w\s-]", "", heading).strip().lower()


def text(page: Page) -> str:
    """The page's Markdown."""
    file = page.file
    title = file.service[0].name if file.service else Path(file.name).stem.capitalize()
    parts = [
        f"# {title}",
        _MADE.format(source=f"proto/{file.name}"),
        page.said(_SYNTAX),
        *(part for i, each in enumerate(file.service) for part in _service(page, each, (6, i))),
    ]
    if file.message_type:
        parts.append("## Messages")
        for i, message in enumerate(file.message_type):
            parts += _message(page, message, (4, i), "")
    if file.enum_type:
        parts.append("## Enums")
        for i, enum in enumerate(file.enum_type):
            parts += _enum(page, enum, (5, i), "")
    return "\n\n".join(filter(None, parts)) + "\n"


def _service(page: Page, service: ServiceDescriptorProto, place: Place) -> Iterator[str]:
    yield page.said(place)
    yield "## Calls"
    for i, call in enumerate(service.method):
        asks, answers = page.type_of(call.input_type), page.type_of(call.output_type)
        asks = f"stream of {asks}" if call.client_streaming else asks
        answers = f"stream of {answers}" if call.server_streaming else answers
        yield f"### {call.name}"
        yield f"{asks} ▸ {answers}"
        yield page.said((*place, 2, i))


def _message(page: Page, message: DescriptorProto, place: Place, within: str) -> Iterator[str]:
    name = f"{within}{message.name}"
    yield f"### {name}"
    yield page.said(place)
    if message.field:
        rows = [
            f"| `{each.name}` | {_type(page, each, message)} "
            f"| {page.said_in_a_cell((*place, 2, i))} |"
            for i, each in enumerate(message.field)
        ]
        yield _table("field", "type", rows)
    for i, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(page, nested, (*place, 3, i), f"{name}.")
    for i, enum in enumerate(message.enum_type):
        yield from _enum(page, enum, (*place, 4, i), f"{name}.")


def _enum(page: Page, enum: EnumDescriptorProto, place: Place, within: str) -> Iterator[str]:
    yield f"### {within}{enum.name}"
    yield page.said(place)
    rows = [
        f"| `{value.name}` | {value.number} | {page.said_in_a_cell((*place, 2, i))} |"
        for i, value in enumerate(enum.value)
    ]
    yield _table("value", "number", rows)


def _table(first: str, second: str, rows: Sequence[str]) -> str:
    return "\n".join([f"| {first} | {second} | |", "|---|---|---|", *rows])


def _type(page: Page, field: FieldDescriptorProto, message: DescriptorProto) -> str:
    for nested in message.nested_type:
        if nested.options.map_entry and field.type_name.endswith(f".{nested.name}"):
            key, value = (_one_type(page, each) for each in nested.field)
            return f"map of {key} to {value}"
    one = _one_type(page, field)
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {one}"
    return f"{one}, optional" if field.proto3_optional else one


def _one_type(page: Page, field: FieldDescriptorProto) -> str:
    if field.type_name:
        return page.type_of(field.type_name)
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _types(file: FileDescriptorProto) -> Iterator[str]:
    yield from (f"{_PACKAGE}{enum.name}" for enum in file.enum_type)
    for message in file.message_type:
        yield from _types_within(message, _PACKAGE)


def _types_within(message: DescriptorProto, prefix: str) -> Iterator[str]:
    yield f"{prefix}{message.name}"
    yield from (f"{prefix}{message.name}.{enum.name}" for enum in message.enum_type)
    for nested in message.nested_type:
        yield from _types_within(nested, f"{prefix}{message.name}.")


if __name__ == "__main__":
    write(PAGES)
