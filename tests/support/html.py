"""A page as a tree, for tests that look at it without a browser."""

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "wbr"}


class Element:
    """A tag with its attributes, and what is in it: texts and further elements."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parts: list[str | Element] = []

    def __getitem__(self, name: str) -> str:
        """An attribute that must be there; one without a value is ""."""
        return self.attributes[name] or ""

    @property
    def text(self) -> str:
        """All texts in it."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return (self.attributes.get("class") or "").split()

    def all(self, tag: str | None = None, **attributes: str) -> Iterator["Element"]:
        """The elements in it of that tag with these attributes, in the order of the page.

        `class_` is one of an element's classes; `data_figure` stands for data-figure, "" for any value.
        """
        for part in self.parts:
            if isinstance(part, Element):
                if tag in (None, part.tag) and all(part._has(*wanted) for wanted in attributes.items()):
                    yield part
                yield from part.all(tag, **attributes)

    def one(self, tag: str | None = None, **attributes: str) -> "Element":
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def _has(self, name: str, value: str) -> bool:
        if name == "class_":
            return value in self.classes
        name = name.replace("_", "-")
        return name in self.attributes and value in ("", self.attributes[name])


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].parts.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def page_of(text: str) -> Element:
    """The page that a text is; each of its tags is closed where it must be."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    assert builder.open == [builder.root], f"<{builder.open[-1].tag}> is not closed"
    return builder.root
