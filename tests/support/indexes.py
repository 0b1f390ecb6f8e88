"""The optional indexes, as a DBA would add them."""

import re
from pathlib import Path

SCRIPT = Path(__file__).parent.parent.parent / "migrations_none" / "optional_indexes.sql"


def optional_indexes() -> list[str]:
    """The statements of the script; CONCURRENTLY wants them one by one."""
    return re.findall(r"^CREATE INDEX CONCURRENTLY[^;]+;", SCRIPT.read_text(), re.MULTILINE)


def index_names() -> list[str]:
    """The names of those indexes."""
    return re.findall(r"ix_parallel_ops_\w+", " ".join(optional_indexes()))
