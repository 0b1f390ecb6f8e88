"""Open breakage incidents: how many, and one page of them."""

from datetime import datetime

from sqlalchemy import func, select

from service.overview.failures import OpenIncident, OpenIncidents
from service.overview.query import PageQuery
from service.sources.database import Database
from service.sources.expressions import Window
from service.sources.listing import (
    beginning,
    counted,
    fields_of,
    newest_first,
    only,
    page_of,
    representable,
)
from service.sources.tables import incidents


async def open_incidents(database: Database, query: PageQuery, instant: datetime) -> OpenIncidents:
    """The incidents of a window that are open. Raises DatabaseError."""
    is_open = func.lower(incidents.c.status) == "open"
    found = select(incidents).where(Window(instant, query.window_days).has(incidents.c.created_at), is_open)
    page = page_of(found, query)
    rows = select(
        page.c.id,
        *beginning(page.c.description, "description"),
        page.c.responsibility,
        page.c.severity,
        representable(page.c.created_at),
    ).order_by(*newest_first(page.c))
    total, listed = await database.consistent(counted(found), rows)
    return OpenIncidents(only(total), tuple(OpenIncident(**fields_of(row, "description")) for row in listed))
