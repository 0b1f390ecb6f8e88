"""What a browser sees at an address that no route takes; other clients get the API's refusal."""

from litestar.datastructures.headers import Accept

from service.api.context import RequestContext
from service.api.responses.errors import NOT_FOUND, Refusal, Unauthorized
from service.api.responses.lists import beginning_of
from service.api.responses.raw import RawResponse
from service.dashboard.html import HTML
from service.dashboard.notices import small_page
from service.dashboard.sign_in import SignIn
from service.dashboard.view import dress_of


class Strangers:
    """Refuses what no route takes, in the form that whoever asks reads."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    def refuse(self, context: RequestContext, refusal: Refusal) -> RawResponse:
        """The response that refuses the request."""
        if not _is_browser(context):
            return refusal.response()
        if isinstance(refusal, Unauthorized):
            return self._sign_in.ask(context, refusal, dress_of(context.query_string).address())
        if refusal.status == NOT_FOUND:
            return small_page(context, "notice.html", NOT_FOUND, title="not_found", message=refusal.message)
        return refusal.response()


def _is_browser(context: RequestContext) -> bool:
    """Whether a page is what the client would rather have: one that takes anything gets JSON."""
    accept = Accept(beginning_of(context.header(b"accept")).decode("latin-1"))
    return accept.best_match(["application/json", HTML]) == HTML
