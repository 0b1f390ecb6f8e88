"""The Dockerfile, as far as tests read it."""

import re

from tests.support.checkout import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def stage(name: str) -> list[tuple[str, str]]:
    """The instructions of a stage: name and the rest of the line."""
    text = re.split(r"^FROM .* AS ", DOCKERFILE, flags=re.MULTILINE)
    (found,) = (part for part in text if part.partition("\n")[0] == name)
    lines = (line for line in found.splitlines()[1:] if line and not line.startswith("#"))
    return [(word, rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in lines)]
