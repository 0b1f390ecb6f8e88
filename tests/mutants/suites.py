"""What is changed on purpose, and which unit tests are for it."""

from typing import NamedTuple


class Suite(NamedTuple):
    """Files and folders of files that are changed, and the tests that are for them.

    The tests need no servers; slow ones are left out. Of two suites with the same file the first is for it.
    """

    changed: tuple[str, ...]
    tests: tuple[str, ...]


# The modules that do no I/O, but for what asks the servers in three of them.
READINGS = (
    *("account", "first_looks", "grid", "manifest", "plan", "reading", "recurrences", "shelf"),
    *("suggestions", "sums", "tables", "worst"),
)


def _tests(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/unit/test_{name}.py" for name in names)


SUITES = (
    Suite(
        ("service/api/parameters.py", "service/api/values.py", "service/overview/query.py"),
        _tests("parameters", "parameters_document", "parameters_refused", "overrides"),
    ),
    Suite(
        ("service/overview",),
        _tests(
            *("slo", "alerts", "to_the_letter", "hours", "budgets", "overrides", "export", "files", "trends"),
            *("prometheus", "grid"),
        ),
    ),
    Suite(
        tuple(f"service/readings/{name}.py" for name in READINGS),
        _tests(
            *("grid", "reading_plan", "database_share", "readings", "suggestions", "account", "recurrences"),
            *("first_looks", "worst", "shelf", "day_tables", "manifest"),
        ),
    ),
)
