"""What was taken for a moment does not stay with a worker."""

import asyncio
import ctypes

import psutil
import pytest

from service import heap

PIECES, PIECE_BYTES = 64 * 1024, 1024


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc's malloc")
async def test_what_is_free_below_what_is_not_goes_back_to_the_system() -> None:
    pieces = [bytearray(PIECE_BYTES) for _ in range(PIECES)]
    kept = pieces[-1]
    del pieces
    before = psutil.Process().memory_info().rss
    keeping = asyncio.create_task(heap.keep_small())
    await asyncio.sleep(0)
    assert before - psutil.Process().memory_info().rss > PIECES * PIECE_BYTES / 2
    assert len(kept) == PIECE_BYTES
    keeping.cancel()
