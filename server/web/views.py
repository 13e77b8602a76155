"""Templates ▶ pages: what is said escapes itself, and is said in the person's language."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from server.web.csrf import FIELD
from server.web.words import LANGUAGES, load_words, preferred

NAVIGATION: Final = ("memories", "inferences", "consents", "reads", "data")
"""The pages in the order of the menu; each is at "/" and its name."""


class Views:
    """Shows templates."""

    def __init__(self) -> None:
        self._words = load_words()
        self._templates = Environment(
            loader=PackageLoader("server.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "languages": LANGUAGES,
            "navigation": NAVIGATION,
            "form_field": FIELD,
        }
        self._templates.filters["iso"] = datetime.isoformat

    def language(self, chosen: str, accepted: str) -> str:
        """The tag of the language: what was chosen, or else what the browser accepts."""
        return chosen if chosen in LANGUAGES else preferred(accepted)

    def show(self, template: str, language: str, status: int, **values: object) -> Response:
        """A page; `values` are what its template names."""
        html = self._templates.get_template(template).render(t=self._words[language], **values)
        return HTMLResponse(html, status, headers={"vary": "accept-language, cookie"})
