"""Text that others wrote, in Markdown that people paste."""

import re
from html import escape

MEDIA_TYPE = "text/markdown; charset=utf-8"
# An underscore inside a word is none.
_MARKUP = re.compile(r"[\\`*\[\]!~|]|(?<![^\W_])_|_(?![^\W_])")
LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def escaped(text: str) -> str:
    """A text as text, on one line, for whoever reads it as Markdown, or as the HTML that is made of that.

    Not for the beginning of a line, where further signs are markup.
    """
    return LINE_BREAK.sub(r"\\n", _MARKUP.sub(r"\\\g<0>", escape(text, quote=False)))
