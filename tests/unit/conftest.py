"""What unit tests start from."""

from hypothesis import settings

# A machine that is busy takes longer, and no example is wrong for that.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")
