"""What MkDocs lacks to build our site from the pages as they lie in the repository.

- A link out of `docs/` leads, on the site, to a copy of the file below `repository/`: so the same
  link works where the repository is read and where the site is. A link to a folder becomes text.
- `adr/*` in the navigation stands for all decisions, in the order of their numbers.

MkDocs calls these functions by their names (`hooks` in mkdocs.yml).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
COPIES: Final = "repository"

_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Writes the decisions out."""
    config.nav = _written_out(config.nav)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds what the navigation names, and what pages link to, outside of `docs/`."""
    waiting = [ROOT / name for name in re.findall(rf"'{COPIES}/([^']+)'", repr(config.nav))]
    waiting += [
        target
        for page in files.documentation_pages()
        for target in _outside(Path(str(page.abs_src_path)))
    ]
    while waiting:
        found = waiting.pop()
        name = _place(found)
        if name not in files.src_uris:
            copy = File.generated(config, name, abs_src_path=str(found))
            copy.inclusion = InclusionLevel.NOT_IN_NAV  # it may be there, and need not
            files.append(copy)
            if found.suffix == ".md":
                waiting += _outside(found)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads each link to where its target is on the site."""
    del config, files
    lies = Path(str(page.file.abs_src_path)).parent
    shown = Path(page.file.src_uri).parent

    def led(link: re.Match[str]) -> str:
        text, to, anchor = link.groups()
        target = (lies / to).resolve()
        if target.is_dir():
            return text
        return f"[{text}]({Path(os.path.relpath(_place(target), shown)).as_posix()}{anchor or ''})"

    return _LINK.sub(led, markdown)


def _outside(page: Path) -> list[Path]:
    """The files outside of `docs/` that the page links to."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    targets = [(page.parent / to).resolve() for _, to, _ in links]
    return [path for path in targets if path.is_file() and not path.is_relative_to(DOCS)]


def _place(target: Path) -> str:
    """The name under which MkDocs has a file of the repository."""
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    return f"{COPIES}/{target.relative_to(ROOT).as_posix()}"


def _written_out(nav: Any) -> Any:
    if isinstance(nav, dict):
        return {title: _written_out(below) for title, below in nav.items()}
    if not isinstance(nav, list):
        return nav
    decisions = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.glob("adr/*.md"))
    return [
        each for item in nav for each in (decisions if item == "adr/*" else [_written_out(item)])
    ]
