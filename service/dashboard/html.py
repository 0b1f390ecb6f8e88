"""What all pages of the board have in common on the wire."""

from service.api.context import RequestContext
from service.api.responses.lists import beginning_of
from service.wording.words import preferred

HTML = "text/html"  # Litestar adds the charset
HEADERS = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    # Of pages that say nothing of where a form is sent from, browsers hide that from us, too.
    "referrer-policy": "same-origin",
    # Asked for again each time it is shown: nobody sees old figures as new, or any after signing out.
    "cache-control": "private, no-cache",
    "vary": "accept-encoding, accept-language, cookie",
}


def language_of(context: RequestContext) -> str:
    """The language that the browser asks for."""
    return preferred(beginning_of(context.header(b"accept-language")).decode("latin-1"))
