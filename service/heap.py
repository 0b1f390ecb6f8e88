"""What a worker took for a moment goes back to the system."""

import asyncio
import ctypes

EVERY_SECONDS = 15.0


async def keep_small() -> None:
    """Give back, again and again, what is free among what is not: glibc alone gives back the heap's end only.

    The rows of a reading are many small things for some milliseconds, and readings are made between them.
    Where the C library has no such call, nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        trim(0)
        await asyncio.sleep(EVERY_SECONDS)
