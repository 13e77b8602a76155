"""How the demo looks: numbered steps, facts, refusals, and what was said beside what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_SHOWN_BYTES: Final = 36


@dataclass
class Stage:
    """Writes to a console; counts the steps."""

    console: Console
    steps: int = 0

    def step(self, title: str, how: str) -> None:
        """Opens a step: what happens, and by which call."""
        self.steps += 1
        line = Text.assemble((f"\n{self.steps:>2}  ", "bold cyan"), (title, "bold"))
        self.console.print(line.append(f"   {how}", style="dim"))

    def fact(self, text: str) -> None:
        self._line("", Text(text))

    def refusal(self, line: str, who: str = "") -> None:
        """What the server answered to whom."""
        text = Text(f"{who}: " if who else "")
        self._line("[bold red]✗[/] ", text.append(line, style="red"))

    def pair(self, said: str, kept: str) -> None:
        """What was said, and what is sealed in its place."""
        self._line("[dim]said[/]  ", Text(said))
        self._line("[dim]kept[/]  ", Text(kept, style="green"))

    def answers(self, question: str, found: Sequence[tuple[float, str]]) -> None:
        """A question, and the memories found with their scores."""
        self._line("", Text(question, style="yellow"))
        for score, text in found:
            self._line(f"[bold green]{score:5.2f}[/]  ", Text(text))

    def bytes(self, data: bytes) -> None:
        """The first bytes of something, as they lie there."""
        shown = data[:_SHOWN_BYTES].hex(" ", 4)
        more = f" … {len(data)} bytes" if len(data) > _SHOWN_BYTES else ""
        self._line("", Text(shown + more, style="magenta"))

    def _line(self, mark: str, text: Text) -> None:
        """A mark of our own, and a text that hangs behind it when it is long."""
        grid = Table.grid()
        grid.add_column(no_wrap=True)
        grid.add_column()
        grid.add_row(mark, text)
        self.console.print(Padding(grid if mark else text, (0, 0, 0, 4)))
