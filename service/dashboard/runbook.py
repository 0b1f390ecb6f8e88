"""The runbook as HTML: whoever reads at night that figures are stale has it at hand, and no checkout."""

from functools import cache
from itertools import pairwise
from pathlib import Path

from markupsafe import Markup

import service

PATH = "docs/runbook.md"


@cache
def runbook() -> Markup:
    """The runbook, each heading with its text as its id, in lower case, as links to it have it.

    What it says of other documents stays text: they are not here.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415 - nobody else needs it

    parser = MarkdownIt("commonmark", {"html": False})
    parser.validateLink = lambda url: url.startswith("#")  # type: ignore[method-assign]
    tokens = parser.parse(_text())
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", inline.content.lower())
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - HTML in it is escaped


def _text() -> str:
    """In a checkout it is beside the package, in a wheel within it."""
    package = Path(service.__file__).parent
    places = (package.parent / PATH, package / PATH)
    return next(place for place in places if place.exists()).read_text(encoding="utf-8")
