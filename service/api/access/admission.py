"""Who may go on: what a request is looked at for before anybody answers it."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from service.api.access.authentication import Authenticator, Caller, is_bearer
from service.api.access.cookie import bearers_of
from service.api.access.cors import Cors
from service.api.access.forwarded import Proxies
from service.api.access.hosts import Hosts
from service.api.access.rate_limit import RateLimit
from service.api.context import RequestContext
from service.api.reading import METHODS
from service.api.responses.errors import InvalidRequest, Refusal, Unauthorized
from service.api.responses.raw import RawResponse
from service.tenants.tenancy import REFUSED
from service.tenants.tenant import Forbidden

MAX_URL_BYTES = 8 * 1024
WHOSE = "there are many tenants: tenant_id says whose figures are wanted"
# Options of routes. Every route needs a token: what is added one day is closed until it is opened.
OPEN = {"open": True}
OPEN_AND_UNLIMITED = {"open": True, "unlimited": True}
# A balancer may look by any name.
PROBED = OPEN_AND_UNLIMITED | {"any_host": True}
SCRAPED = {"scraped": True}
# There are no tenant's figures in the answer.
OF_NOBODY = {"of_nobody": True}


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

        That nobody knows who asks, or that they may not, is noted as the request's error: it counts for the
        limit all the same.
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
                caller = self._caller_of(context)
                context.operator_id, context.tenant = caller.operator_id, caller.tenant
                if "scraped" in context.options and self._authenticator.tenancy.has_tenants:
                    self._choose_tenant(context)
            except (Unauthorized, Forbidden, InvalidRequest) as error:
                context.error = error
        return None

    def _check_host(self, hosts: Hosts, context: RequestContext) -> None:
        if not hosts.know(context.header(b"host")):
            message = (
                "this service does not go by that name; PARALLEL_OPS_ALLOWED_HOSTS has those that it goes by"
            )
            raise Refusal(421, "unknown_host", message)

    def _choose_tenant(self, context: RequestContext) -> None:
        """Note whose figures a scrape is for: `tenant_id` says so, which is no other than a token's own."""
        if context.is_of_nobody:
            return
        tenancy = self._authenticator.tenancy
        given = dict(parse_qsl(context.query_string.decode(errors="replace")))
        if "tenant_id" in given:
            asked = tenancy.admit(given["tenant_id"], given.get("org_id"))
            if context.operator_id is not None and asked != context.tenant:
                raise Forbidden(REFUSED)
            context.tenant = asked
        if context.tenant is None:
            raise InvalidRequest(WHOSE, {"tenant_id": None})
        if tenancy.is_many or "tenant_id" in given:
            context.labels = context.tenant.labels

    def _caller_of(self, context: RequestContext) -> Caller:
        scraping, authorization = "scraped" in context.options, context.headers.get(b"authorization")
        context.is_scraper = scraping and self._authenticator.is_scraper(authorization)
        if self._authenticator.is_off:
            return self._authenticator.caller_of(None, scraping=scraping)
        if context.has_two_tokens:  # a gateway may have looked at the other one
            raise Unauthorized("there is more than one Authorization header")
        # Another scheme may be what a browser sends by itself, to a gateway that asks for it.
        is_token = authorization is not None and is_bearer(authorization)
        if not is_token and (bearers := cookies_of(context)) and context.method in METHODS:
            return self._caller_of_one(bearers, scraping=scraping)
        return self._authenticator.caller_of(authorization, scraping=scraping)

    def _caller_of_one(self, bearers: Sequence[bytes], *, scraping: bool) -> Caller:
        """Who the first good one of several is; raises what is wrong with the first."""
        reasons: list[Exception] = []
        for bearer in bearers:
            try:
                return self._authenticator.caller_of(bearer, scraping=scraping)
            except (Unauthorized, Forbidden) as reason:
                reasons.append(reason)
        raise reasons[0]


def cookies_of(context: RequestContext) -> list[bytes]:
    """The Authorization headers that the request's cookies stand for."""
    cookies = context.headers.get(b"cookie")
    return bearers_of(cookies, secure=context.is_secure) if cookies else []
