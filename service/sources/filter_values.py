"""The values that filters can take: what the data holds, the most frequent first, bounded."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from service.overview.query import WINDOW_DAYS
from service.sources import doc_sync, workflow_actions
from service.sources.database import Database
from service.sources.expressions import Window, count, field, text_or_number, trimmed, truthy
from service.sources.tables import plans, runs

# More would not help anybody who picks, and the page that lists them stays small.
MOST = 200
MAX_LENGTH = 200


async def sites(database: Database, instant: datetime) -> tuple[str, ...]:
    """The sites of the document sync jobs of the largest window, sorted. Raises DatabaseError."""
    population = doc_sync.population(_largest(instant), None)
    return await _values(database, doc_sync.site, *population)


async def target_objects(database: Database, instant: datetime) -> tuple[str, ...]:
    """The target objects of the runs of the largest window, sorted. Raises DatabaseError."""
    target = runs.c.target_object
    # A filter's value is trimmed, so one that is not could be picked and would find nothing.
    typeable = target == trimmed(target)
    return await _values(database, target, *workflow_actions.population(_largest(instant), None), typeable)


async def template_keys(database: Database, _instant: datetime) -> tuple[str, ...]:
    """The keys of all template versions, sorted. Raises DatabaseError."""
    template = field(plans.c.properties, "template")
    return await _values(database, text_or_number(template, "key"), truthy(template, "is_template_version"))


async def _values(
    database: Database, value: ColumnElement[str | None], *where: ColumnElement[bool]
) -> tuple[str, ...]:
    statement = (
        select(value.label("value"))
        .where(*where, value != "", func.length(value) <= MAX_LENGTH)
        .group_by(value)
        .order_by(count().desc(), value)
        .limit(MOST)
    )
    return tuple(sorted(row.value for row in await database.rows(statement)))


# In the order of Filters' fields.
READERS = {"site_id": sites, "target_object": target_objects, "template_key": template_keys}


def _largest(instant: datetime) -> Window:
    return Window(instant, WINDOW_DAYS[-1])
