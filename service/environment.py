"""A struct of settings from environment variables: one of each field's name, in capitals behind PREFIX.

Every mistake is found, not the first alone: whoever starts the service for the first time makes several.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

PREFIX = "PARALLEL_OPS_"
# A name that holds a file's name in place of the value.
OF_FILES = "_FILE"
LIKENESS = 0.6

# What a value has to be beside its type: raises ValueError, whose message quotes no secret.
Checks = Mapping[str, Callable[[Any], object]]


class Problem(Struct, frozen=True):
    """Why a variable cannot be used, and a value that could."""

    variable: str
    reason: str
    example: str | None = None

    def __str__(self) -> str:
        example = f" (for example: {self.variable}={self.example})" if self.example else ""
        return f"{self.variable}: {self.reason}{example}"


class Unknown(Struct, frozen=True):
    """A variable that means nothing here, and the one that it may have been meant for."""

    variable: str
    nearest: str | None

    def __str__(self) -> str:
        return f"{self.variable} is not known and changes nothing{self.question}"

    @property
    def question(self) -> str:
        """Whether the nearest was meant, where there is one."""
        return f"; did you mean {self.nearest}?" if self.nearest else ""


def variable_of(name: str) -> str:
    """The variable of a field."""
    return PREFIX + name.upper()


def read(
    kind: type[Struct], environment: Mapping[str, str], checks: Checks, examples: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Problem]]:
    """The values that are given and good, and what is wrong with the others, both by their fields' names.

    NAME_FILE names a file that holds the value of NAME; a blank value counts as not given.
    """
    values: dict[str, Any] = {}
    problems: dict[str, Problem] = {}
    for field in msgspec.structs.fields(kind):
        try:
            text = _text(environment, variable_of(field.name))
            if text is not None:
                values[field.name] = msgspec.convert(text, field.type, strict=False)
                checks.get(field.name, str)(values[field.name])
            elif field.required:
                raise ValueError("is not set")
        except ValueError as error:  # msgspec's own is one
            example = examples.get(field.name, str(field.default))
            problems[field.name] = Problem(variable_of(field.name), str(error), example)
    return values, problems


def unknown(environment: Iterable[str], kind: type[Struct], *others: str) -> list[Unknown]:
    """The variables with our prefix that are neither of a field of `kind` nor among the `others`."""
    names = [name.upper() + ending for name in kind.__struct_fields__ for ending in ("", OF_FILES)]
    known = {PREFIX + name for name in names} | set(others)
    found = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    return [Unknown(name, _nearest(name.removeprefix(PREFIX), names)) for name in found]


def _nearest(name: str, names: list[str]) -> str | None:
    nearest = get_close_matches(name, names, 1, LIKENESS)
    return PREFIX + nearest[0] if nearest else None


def _text(environment: Mapping[str, str], variable: str) -> str | None:
    value = environment.get(variable, "").strip()
    file = environment.get(variable + OF_FILES, "").strip()
    if value and file:
        raise ValueError(f"is set beside {variable}{OF_FILES}; keep one of them")
    if file:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file in {variable}{OF_FILES} cannot be read: {error}") from None
    return value or None
