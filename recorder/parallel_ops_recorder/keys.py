"""Names of the overlay counters in Redis, and which hours a window has.

This is the public contract with the programs that serve overlays; docs/overlay-counters.md is its prose.
"""

import re
from datetime import UTC, date, datetime, timedelta

# In a tenant's place, where there are none.
NO_TENANT = "-"
# Of tenants and organisations.
TENANT_ID = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
# The position of a kind in this tuple is its position in every row of counts.
KINDS = ("hits", "misses", "evictions")
HITS, MISSES, EVICTIONS = range(len(KINDS))
GAUGES = ("entries", "ttl_seconds", "max_entries")

COUNTS_SECONDS = 92 * 24 * 3600
PROCESS_SECONDS = 120
# Longer than any outage that a recorder outlives with its counts whole; see delivery.py.
SENT_SECONDS = 7 * 24 * 3600

# What a reader takes for a count: digits, and few enough of them that no sum of a window leaves 64 bits.
MAX_DIGITS = 15
LARGEST = 10**MAX_DIGITS - 1


def tagged(name: str, tenant: str = NO_TENANT) -> str:
    """`parallel-ops:{-}:NAME`, as all keys of the project are.

    What stands in braces is a key's hash tag: in a cluster, all keys of a tenant are in one slot.
    """
    return f"parallel-ops:{{{tenant}}}:{name}"


def checked_tenant(tenant: str) -> str:
    """The tenant, if keys can carry it. Raises ValueError."""
    if tenant != NO_TENANT and not re.fullmatch(rf"{TENANT_ID}(\.{TENANT_ID})?", tenant):
        raise ValueError(
            f"tenant must be up to 63 letters, digits, _ and -, or two such names and a dot: not {tenant!r}"
        )
    return tenant


def counts_key(day: date, tenant: str = NO_TENANT) -> str:
    """The hash of one UTC day's counts."""
    return tagged(f"overlay:counts:{day:%Y-%m-%d}", tenant)


def counts_field(hour: int, kind: str) -> str:
    """The field of `kind` in the UTC hour 0..23 of a day's hash."""
    return f"{hour:02}:{kind}"


def process_key(process_id: str, tenant: str = NO_TENANT) -> str:
    """The hash of one live process's cache; of `*`, the pattern that finds those of all."""
    return tagged(f"overlay:process:{process_id}", tenant)


def sent_key(process_id: str, tenant: str = NO_TENANT) -> str:
    """The number of the last batch that was counted for a recorder; no part of the public contract."""
    return tagged(f"overlay:sent:{process_id}", tenant)


def window_hours(since: datetime, until: datetime) -> dict[date, range]:
    """The UTC hours that [since, until] touches, by day, oldest first; an hour is [start, end).

    Raises ValueError for a time without a zone, which could only be guessed.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise ValueError("since and until must be aware")
    first, last = since.astimezone(UTC), until.astimezone(UTC)
    days = (last.date() - first.date()).days
    hours = {first.date() + timedelta(days=number): range(24) for number in range(days + 1)}
    hours[last.date()] = range(last.hour + 1)
    hours[first.date()] = range(first.hour, hours[first.date()].stop)
    return hours
