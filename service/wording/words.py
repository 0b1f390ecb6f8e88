"""Words for people, a file a language in languages/, and which of them a reader gets."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from string import Formatter

import msgspec
from msgspec import Struct

FOLDER = Path(__file__).parent / "languages"
DEFAULT = "en"


class Language(Struct, frozen=True):
    """A language as it calls itself, its tag in HTML, its texts, and its words for values of the data.

    `messages` are by the English of the API's messages, in which {name} stands for any text.
    """

    name: str
    html: str
    words: dict[str, str]
    values: dict[str, str]
    messages: dict[str, str] = {}


# By the files' names, which are what an address and an Accept-Language header say; the default first.
CATALOGUE = {
    path.stem: msgspec.toml.decode(path.read_bytes(), type=Language)
    for path in sorted(FOLDER.glob("*.toml"), key=lambda path: (path.stem != DEFAULT, path))
}
LANGUAGES = tuple(CATALOGUE)


@cache
def words_in(language: str) -> dict[str, Callable[..., str]]:
    """Functions from a key to its text in one language.

    `word` takes the values to be filled in, word("age", n=3). `known` gives the word for a value of the
    data where there is one, else the value itself. `said` does so for a message of the API.
    """
    catalogue = CATALOGUE[language]
    messages = [(_pattern(message), text) for message, text in catalogue.messages.items()]

    def word(key: str, **values: object) -> str:
        text = catalogue.words[key]
        return text.format(**values) if values else text

    def known(value: str) -> str:
        return catalogue.values.get(value, value)

    return {"word": word, "known": known, "said": lambda message: _said(message, messages)}


def _said(message: str, messages: Sequence[tuple[re.Pattern[str], str]]) -> str:
    found = ((pattern.fullmatch(message), text) for pattern, text in messages)
    return next((text.format(**match.groupdict()) for match, text in found if match), message)


def _pattern(message: str) -> re.Pattern[str]:
    parts = Formatter().parse(message)
    return re.compile(
        "".join(re.escape(text) + (f"(?P<{name}>.*)" if name else "") for text, name, *_ in parts), re.DOTALL
    )


def preferred(accept_language: str) -> str:
    """The first of LANGUAGES by the weights of an Accept-Language header; the default for any other."""
    best, best_weight = DEFAULT, 0.0
    for item in accept_language.split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
