"""What the database's catalogue says of the tables that are read by the day."""

import time
from collections.abc import Mapping
from math import ceil

from msgspec import Struct

from service.readings.tables import DAY_TABLES
from service.sources.database import Database
from service.sources.inspection import row_counts, without_index

# Indexes come and go seldom.
KEPT_SECONDS = 60.0
# A statement reads about so many rows at most, where it can: it takes a few seconds. Where each looks through
# the whole table, they are twice as many.
MOST_ROWS, MOST_ROWS_OF_WHOLE = 2_500_000, 5_000_000
# What a first look goes through at most: it takes two or three seconds, and each instance has its own.
MOST_ROWS_LOOKED_AT = 6_000_000
DAYS_OF_ROWS = 90


class Facts(Struct, frozen=True):
    """By section: how many rows a table has, and which are read whole, for no index leads with created_at."""

    rows: Mapping[str, int]
    whole: frozenset[str]

    def longest_span(self, section: str) -> int:
        """How many days of a table a statement may read, so that it takes but a few seconds.

        Where each looks through the whole table, there are no more of them than that takes.
        """
        if section in self.whole:
            return ceil((DAYS_OF_ROWS + 2) / max(1, ceil(self.rows[section] / MOST_ROWS_OF_WHOLE)))
        return max(1, DAYS_OF_ROWS * MOST_ROWS // max(1, self.rows[section]))

    def may_be_looked_at(self, section: str, read_days: int) -> bool:
        """Whether so many days of a section can be read twice at the start, once of them for a first look."""
        part = 1 if section in self.whole else min(1, read_days / DAYS_OF_ROWS)
        return self.rows.get(section, 0) * part <= MOST_ROWS_LOOKED_AT


class Catalogue:
    """Asks the database for the facts now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._facts: Facts | None = None
        self._again_at = 0.0

    async def facts(self) -> Facts:
        """What was last known, at most KEPT_SECONDS ago. Raises DatabaseError."""
        if self._facts is None or time.monotonic() >= self._again_at:
            unindexed = {table for table, read in await without_index(self._database) if read == "window"}
            rows = await row_counts(self._database)
            self._facts = Facts(
                rows={section: rows.get(each.table, 0) for section, each in DAY_TABLES.items()},
                whole=frozenset(name for name, each in DAY_TABLES.items() if each.table in unindexed),
            )
            self._again_at = time.monotonic() + KEPT_SECONDS
        return self._facts
