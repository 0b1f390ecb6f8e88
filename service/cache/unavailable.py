"""Why there is no answer."""


class Unavailable(Exception):
    """Nothing could be computed in time, and nothing young enough is kept."""


class TooManyAtOnce(Unavailable):
    """So much is being computed for this caller that nothing more is begun."""


class Closed(Unavailable):
    """Nothing is computed any more."""
