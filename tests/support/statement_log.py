"""What the service asks of PostgreSQL, by PostgreSQL's own log."""

import re
from collections import Counter

from demo.servers import Postgres

_TABLE = re.compile(r"FROM (?:\w+\.)?(meta_\w+)")


class StatementLog:
    """What PostgreSQL says it ran, read from its own log."""

    def __init__(self, postgres: Postgres) -> None:
        self._log = postgres.log
        self._from = self._log.stat().st_size

    def tables(self) -> Counter[str]:
        """How many of the service's statements read each table since this log was opened."""
        executed = (entry for entry in self._entries() if "LOG:  execute" in entry)
        return Counter(match[1] for entry in executed if (match := _TABLE.search(entry)))

    def count(self, words: str) -> int:
        """How many of the service's statements hold these words since this log was opened."""
        return sum("LOG:  execute" in entry and words in entry for entry in self._entries())

    def values(self, words: str) -> int:
        """How many of the service's statements came with these words as a value since this log was opened."""
        return sum("DETAIL:" in entry and f"'{words}'" in entry for entry in self._entries())

    def texts(self) -> set[str]:
        """The service's statements since this log was opened, but for limits and numbers of parameters."""
        executed = (entry.partition("LOG:  execute ")[2] for entry in self._entries())
        found = (re.sub(r"\$\d+", "$", entry.partition(": ")[2]).strip() for entry in executed if entry)
        return {re.sub(r"\s+LIMIT \$::\w+$", "", text) for text in found}

    def _entries(self) -> list[str]:
        with self._log.open("rb") as log:
            log.seek(self._from)
            text = log.read().decode(errors="replace")
        entries = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
        return [entry for entry in entries if entry.startswith("[parallel-ops]")]
