"""How long cached values are fresh, stale and kept, and how long anybody waits."""

from msgspec import Struct


class Policy(Struct, frozen=True):
    """All in seconds, but for `memory_bytes`.

    refresh: the length of a tick, whole seconds on a grid that all instances share.
    stale: up to this age an older value is served while its refresh runs.
    max_stale: up to this age an older value is served while refreshing fails.
    answer: a request waits no longer than this for a computation.
    compute: a computation, the wait for its turn included, is given up after this; but see `longest`.
    lease: a computation whose process died is taken over after this.
    poll: how often a process looks whether another one's computation has ended.
    retry: a failed computation is not tried again for this long.
    """

    refresh: int = 15
    stale: float = 60.0
    max_stale: float = 300.0
    answer: float = 17.0
    compute: float = 34.0
    lease: float = 5.0
    poll: float = 0.025
    retry: float = 2.0
    memory_bytes: int = 8 * 1024 * 1024

    def tick(self, now: float) -> int:
        """The start of the tick that `now` is in, both in Unix seconds."""
        return int(now // self.refresh) * self.refresh

    @property
    def kept_seconds(self) -> float:
        """How long a value is kept: as long as anybody may still serve it, and a tick more."""
        return self.max_stale + self.compute + self.refresh

    @property
    def pace(self) -> float:
        """The time between the beginnings of two refreshes behind the scenes: hundreds fit into a tick."""
        return self.refresh / 600

    @property
    def hidden(self) -> float:
        """Up to this age an older value is served without a look at what else there is.

        By then whatever is asked for all the time has been refreshed: a tick has 600 turns.
        """
        return 1.2 * self.refresh

    def longest(self, *, in_turn: bool) -> float:
        """How long a computation may take: one that others start from, as long as older values do."""
        return self.max_stale if in_turn else self.compute

    def older(self, tick: int) -> range:
        """The ticks before `tick` whose values may still be served, newest first."""
        return range(tick - self.refresh, tick - int(self.max_stale) - 1, -self.refresh)

    def stale_bound(self, compute_seconds: float, at_least: float = 0.0) -> float:
        """The age up to which a value whose computation took that long hides its refresh.

        A scan that takes longer than the ticks would otherwise make every reader wait for it.
        """
        return min(self.max_stale, max(self.stale, self.room_for(compute_seconds), at_least))

    @staticmethod
    def room_for(compute_seconds: float) -> float:
        """What a computation may take that took that long before: the database may be busy."""
        return 4 * compute_seconds

    def room_for_pass(self, seconds: float) -> float:
        """The same of what everything starts from, and is made seldom: a tick at least.

        It begins when somebody asks, and most ask once a tick or so.
        """
        return max(self.refresh, min(self.room_for(seconds), self.max_stale / 2))
