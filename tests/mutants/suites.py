"""What is changed on purpose, and which unit tests are for it."""

from typing import NamedTuple


class Suite(NamedTuple):
    """Files that are changed, and the tests that are for them: without servers, and quick."""

    changed: tuple[str, ...]
    tests: tuple[str, ...]


def _suite(changed: str, tests: str) -> Suite:
    """Of modules and tests by their names."""
    room, *names = changed.split()
    return Suite(
        tuple(f"service/{room}/{name}.py" for name in names),
        tuple(f"tests/unit/test_{name}.py" for name in tests.split()),
    )


# All of the overview, what reads parameters, and of the readings what does no I/O.
SUITES = (
    _suite("api parameters values", "parameters_refused parameters parameters_document overrides"),
    _suite("overview query", "query parameters_refused parameters parameters_document to_the_letter"),
    _suite("overview alerts overrides slo", "slo alerts overrides to_the_letter"),
    _suite("overview clock", "clock budgets"),
    _suite("overview budgets hourly", "hours budgets to_the_letter"),
    _suite("overview bounds", "bounds"),
    _suite("overview export files markdown metrics prometheus", "files export prometheus to_the_letter"),
    _suite("overview failures sections summary trends", "failures summary to_the_letter trends hours"),
    _suite("overview times", "times"),
    _suite("readings account", "account"),
    _suite("readings first_looks", "first_looks"),
    _suite("readings grid", "grid sums"),
    _suite("readings manifest", "manifest"),
    _suite("readings plan", "reading_plan database_share"),
    _suite("readings reading", "readings worst suggestions"),
    _suite("readings recurrences", "recurrences"),
    _suite("readings shelf", "shelf"),
    _suite("readings suggestions", "suggestions"),
    _suite("readings sums", "sums"),
    _suite("readings tables", "day_tables"),
    _suite("readings worst", "worst"),
)
