"""Pages as bytes: written once for all who look at the same figures, and kept while they stand."""

import asyncio
import gzip
from functools import cache
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from service.api.table import PREFIX
from service.dashboard import assets, formats
from service.dashboard.board import Board, ViewData, board_of
from service.dashboard.drawing import drawing
from service.dashboard.labels import Labels
from service.dashboard.links import Links
from service.dashboard.lists import lists_of
from service.dashboard.memo import Memo
from service.dashboard.scope import unknown_names
from service.dashboard.view import LIST_FILTERS, View
from service.overview.files import FORMATS
from service.overview.overrides import Overrides
from service.overview.query import FILTERS, WINDOW_DAYS
from service.overview.sections import Snapshot
from service.overview.slo import OBJECTIVES, Thresholds
from service.snapshots import Dated
from service.sources.failing_rows import EXAMINED
from service.tenants.tenant import EVERYBODY
from service.tenants.workspace import Workspace
from service.wording.words import CATALOGUE, words_in

# A page stands for one tick: the least effort, for some 2 kB more.
GZIP_LEVEL = 1


class Page(Struct, frozen=True):
    """A page, the same compressed, and a digest of that, which is a fifth as long."""

    body: bytes
    gzipped: bytes
    digest: str

    @property
    def cost(self) -> int:
        """What keeping it takes, in bytes."""
        return 1024 + len(self.body) + len(self.gzipped)


class Viewer(Struct, frozen=True):
    """Who looks, as far as the page shows it: the language, whose figures, and a way to sign out."""

    language: str
    is_signed_in: bool
    workspace: Workspace


class Pages:
    """Boards by view and viewer, kept in the workspaces whose figures they show.

    `refresh_seconds` is how often figures change, and `links` lead to the PLM's own pages.
    """

    def __init__(self, thresholds: Thresholds, refresh_seconds: int, links: Links) -> None:
        self._thresholds = thresholds
        self._links = links
        self._refresh_seconds = refresh_seconds
        self._stale_after = 3 * refresh_seconds

    def board(self, data: ViewData, view: View, viewer: Viewer, age: float) -> Page:
        """The board as of the data, which is `age` seconds old."""
        pages: Memo[Page] = Memo(viewer.workspace.pages)
        is_stale = age > self._stale_after
        stamp = (data.stamp, is_stale)
        return pages.get((view, viewer), stamp, lambda: self._written(data, view, viewer, is_stale=is_stale))

    def _written(self, data: ViewData, view: View, viewer: Viewer, *, is_stale: bool) -> Page:
        board = self._drawn(data.snapshot, view, viewer.workspace, is_stale=is_stale)
        unknown = unknown_names(view.snapshot.filters, board.summary, data.choices)
        body = render(
            "board.html",
            viewer.language,
            view,
            board=board,
            state=board.states[0],
            data=data,
            lists=lists_of(data.lists, view, board.summary, unknown),
            unknown=unknown,
            links=self._links,
            is_signed_in=viewer.is_signed_in,
            tenant=None if viewer.workspace.tenant == EVERYBODY else viewer.workspace.tenant,
            refresh_seconds=self._refresh_seconds,
            stale_after=self._stale_after,
        )
        gzipped = gzip.compress(body, GZIP_LEVEL, mtime=0)
        return Page(body, gzipped, blake2b(gzipped, digest_size=12).hexdigest())

    def _drawn(self, dated: Dated[Snapshot], view: View, workspace: Workspace, *, is_stale: bool) -> Board:
        """The figures and charts, which are the same in every language, colour and page of the lists."""
        boards: Memo[Board] = Memo(workspace.boards)
        return boards.get(
            (view.trends, view.overrides),
            (dated.tick, dated.degraded, is_stale),
            lambda: board_of(dated.value, view, self._thresholds, is_stale=is_stale),
        )


def render(template: str, language: str, view: View, **values: Any) -> bytes:  # noqa: ANN401
    """A page of that template in a language."""
    text: str = _environment(language).get_template(template).render(view=view, **values)
    return text.encode()


async def prepare(language: str) -> None:
    """Have a language's board compiled, the first time beside the event loop: it takes some 80 ms.

    Whoever looks first waits for it, and nobody else: at the start it would hold up everybody.
    """
    if language not in _loaded:
        await asyncio.to_thread(load, language)


def load(language: str) -> None:
    """Compile all templates in a language."""
    environment = _environment(language)
    for name in environment.list_templates():
        environment.get_template(name)
    _loaded.add(language)


_loaded: set[str] = set()


@cache
def _environment(language: str) -> Any:  # noqa: ANN401
    """The templates in a language, each compiled when it is first needed.

    A word that does not depend on figures is written into the compiled template: jinja2 works out
    filters of constants once.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("service.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        formats.FILTERS,
        drawing=drawing,
        asset=assets.address,
        **words_in(language),
        **Labels(language).filters(),
    )
    environment.globals.update(
        language=language,
        languages=CATALOGUE,
        windows=WINDOW_DAYS,
        filters=FILTERS,
        list_filters=LIST_FILTERS,
        cleared=dict.fromkeys((*FILTERS, *LIST_FILTERS)),
        overrides=Overrides.__struct_fields__,
        export_formats=tuple(FORMATS),
        objectives=len(OBJECTIVES),
        examined=EXAMINED,
        api=PREFIX,
    )
    return environment
