"""docs/operations.md says of the configuration what the code says."""

import re
from pathlib import Path

import msgspec

from service.environment import PREFIX
from service.settings import Settings

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = [
    DOCS / "operations.md",
    DOCS / "runbook.md",
    DOCS / "kubernetes.md",
    *(DOCS.parent / name for name in ("CONTRIBUTING.md", "SECURITY.md")),
]


def test_every_variable_is_there_with_its_default() -> None:
    table = re.findall(rf"^\| {PREFIX}(\w+) \| (\S+) \|", (DOCS / "operations.md").read_text(), re.MULTILINE)
    assert [name.lower() for name, _ in table] == list(Settings.__struct_fields__)
    assert dict(table) == {field.name.upper(): _told(field) for field in msgspec.structs.fields(Settings)}


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", page.read_text()):
            path = (page.parent / target).resolve() if target else page
            assert path.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in _anchors(path), f"{page.name}: #{anchor}"


def _told(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT:
        return "needed"
    return "none" if field.default in (None, "") else str(field.default)


def _anchors(path: Path) -> set[str]:
    return {
        heading.lower().replace(" ", "-").replace(",", "")
        for heading in re.findall(r"^###? (.+)$", path.read_text(), re.MULTILINE)
    }
