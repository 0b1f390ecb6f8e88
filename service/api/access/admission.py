"""Who may go on: what a request is looked at for before anybody answers it."""

from service.api.access.authentication import Authenticator
from service.api.access.cookie import bearer_of
from service.api.access.cors import Cors
from service.api.access.forwarded import Proxies
from service.api.access.hosts import Hosts
from service.api.access.rate_limit import RateLimit
from service.api.context import RequestContext
from service.api.responses.errors import Refusal, Unauthorized
from service.api.responses.raw import RawResponse

MAX_URL_BYTES = 8 * 1024
# Options of routes. Every route needs a token: what is added one day is closed until it is opened.
OPEN = {"open": True}
OPEN_AND_UNLIMITED = {"open": True, "unlimited": True}
# A balancer may look by any name.
PROBED = OPEN_AND_UNLIMITED | {"any_host": True}
SCRAPED = {"scraped": True}


class Admission:
    """Lets requests on, and notes who asks. What is None is not configured."""

    def __init__(
        self,
        authenticator: Authenticator,
        limit: RateLimit | None,
        cors: Cors | None,
        proxies: Proxies | None,
        hosts: Hosts | None,
    ) -> None:
        self._authenticator = authenticator
        self._limit = limit
        self._cors = cors
        self._proxies = proxies
        self._hosts = hosts

    def limit_of(self, context: RequestContext) -> RateLimit | None:
        """The limit that a request counts for, if there is one."""
        return None if "unlimited" in context.options else self._limit

    def admit(self, context: RequestContext) -> RawResponse | None:
        """The answer to a question that a browser asks beforehand; else None. Raises Refusal.

        That nobody knows who asks is noted as the request's error: it counts for the limit all the same.
        """
        if self._hosts is not None and "any_host" not in context.options:
            self._check_host(self._hosts, context)
        if self._proxies is not None:
            context.address = self._proxies.client_of(context.address, context.header(b"x-forwarded-for"))
        if self._cors is not None:
            context.added = self._cors.headers(context.headers)
            answer = self._cors.preflight(context.method, context.headers)
            if answer is not None:
                return answer
        if len(context.path) + len(context.query_string) > MAX_URL_BYTES:
            raise Refusal(414, "uri_too_long", f"the URL must be at most {MAX_URL_BYTES} bytes long")
        if "open" not in context.options:
            try:
                context.operator_id = self._operator_of(context)
            except Unauthorized as error:
                context.error = error
        return None

    def _check_host(self, hosts: Hosts, context: RequestContext) -> None:
        if not hosts.know(context.header(b"host")):
            message = (
                "this service does not go by that name; PARALLEL_OPS_ALLOWED_HOSTS has those that it goes by"
            )
            raise Refusal(421, "unknown_host", message)

    def _operator_of(self, context: RequestContext) -> int | None:
        authorization = context.headers.get(b"authorization")
        if authorization is None and b"cookie" in context.headers and context.method == "GET":
            authorization = bearer_of(context.headers[b"cookie"])
        scraping = "scraped" in context.options
        context.is_scraper = scraping and self._authenticator.is_scraper(authorization)
        return self._authenticator.operator_of(authorization, scraping=scraping)
