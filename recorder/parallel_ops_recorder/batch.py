"""One batch of counts, added to Redis exactly once however often it is sent.

When a reply is lost nobody can tell whether the server counted: sending again may count twice, not sending
may lose. So every batch has a number, and the script below counts a batch and notes its number in one
indivisible step, or does nothing when that number or a later one is noted already. A recorder has one batch
on its way at a time and repeats it, unchanged, until it is acknowledged. This holds whichever attempt the
server sees first, also one that it reads from a dead connection long after the next; and since the note
is written with the counts, a server that comes back from older data has both or neither.

It stops holding when the note is gone: SENT_SECONDS after the last attempt that counted.

What the note was before a batch tells what the server still has of earlier ones: less than it acknowledged
after a failover to a replica that lags, or from an older copy of its data.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.utils import str_if_bytes

from parallel_ops_recorder.keys import (
    COUNTS_SECONDS,
    KINDS,
    PROCESS_SECONDS,
    SENT_SECONDS,
    counts_field,
    counts_key,
    process_key,
    sent_key,
)
from parallel_ops_recorder.tally import Counts

# KEYS: the note, then each increment's day. ARGV: number, the two expiries, then field and amount of each.
# The note comes first, because a script that fails half-way is not undone. An increment that is refused
# (the key or field holds something else) is reported and does not stop the others.
COUNT_ONCE = """
local noted = redis.call('GET', KEYS[1])
local before = tonumber(noted or 0)
if before >= tonumber(ARGV[1]) then return {before, {}} end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local refused = {}
for i = 2, #KEYS do
  local reply = redis.pcall('HINCRBY', KEYS[i], ARGV[2 * i], ARGV[2 * i + 1])
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = {i - 2, reply.err}
  else
    redis.call('EXPIRE', KEYS[i], ARGV[3])
  end
end
return {before, refused}
"""


class Increment(NamedTuple):
    """`n` of a kind in an hour since 1970, and where it goes."""

    hour: int
    kind: int
    n: int

    def place(self, tenant: str) -> tuple[str, str]:
        """The key and the field of a tenant's."""
        at = datetime.fromtimestamp(self.hour * 3600, UTC)
        return counts_key(at, tenant), counts_field(at.hour, KINDS[self.kind])


class Source(NamedTuple):
    """Whose counts they are, and which process sends them."""

    tenant: str
    process_id: str


class Refusal(NamedTuple):
    """An increment that the server would not make, and why."""

    increment: Increment
    reason: str


class Receipt(NamedTuple):
    """What the server said: the last number that it had noted before, 0 for none, and what it refused."""

    before: int
    refusals: list[Refusal]


class Batch(NamedTuple):
    """Increments under a number that is larger than those of all earlier batches of the recorder."""

    number: int
    increments: tuple[Increment, ...]

    @classmethod
    def of(cls, number: int, counts: Counts) -> "Batch":
        """The batch of all counts that are not 0."""
        return cls(
            number,
            tuple(
                Increment(hour, kind, n)
                for hour, row in sorted(counts.items())
                for kind, n in enumerate(row)
                if n
            ),
        )

    @property
    def total(self) -> int:
        """The sum over all increments."""
        return sum(increment.n for increment in self.increments)

    def without(self, refused: Sequence[Increment]) -> "Batch":
        """What was counted of it."""
        return self._replace(increments=tuple(each for each in self.increments if each not in refused))


def send(redis: Redis, source: Source, batch: Batch, gauges: Mapping[str, int]) -> Receipt:
    """Count the batch and show the process as live with `gauges`, in two round trips.

    What was not refused is counted. Raises RedisError when that is not known: send it again.
    """
    receipt = _count_once(redis, source, batch)
    key = process_key(source.process_id, source.tenant)
    with redis.pipeline(transaction=False) as pipe:
        pipe.hset(key, mapping=dict(gauges.items()))
        pipe.expire(key, PROCESS_SECONDS)
        pipe.execute()
    return receipt


def _count_once(redis: Redis, source: Source, batch: Batch) -> Receipt:
    note = sent_key(source.process_id, source.tenant)
    if not batch.increments:
        return Receipt(int(cast("bytes", redis.get(note)) or 0), [])
    keys = [note]
    arguments: list[str | int] = [batch.number, SENT_SECONDS, COUNTS_SECONDS]
    for increment in batch.increments:
        key, field = increment.place(source.tenant)
        keys.append(key)
        arguments += [field, increment.n]
    # EVAL and not EVALSHA: a few hundred bytes, and no second path for a server that forgot the script.
    before, refused = cast("Any", redis.eval(COUNT_ONCE, len(keys), *keys, *arguments))
    return Receipt(
        before, [Refusal(batch.increments[index], str_if_bytes(reason)) for index, reason in refused]
    )
