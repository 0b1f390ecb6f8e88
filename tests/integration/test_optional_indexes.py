"""The optional indexes: they can be added while the service runs, and change no answer."""

import asyncpg

from demo.seed import Counts, seed
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.indexes import optional_indexes
from tests.support.waiting import until

OURS = "LIKE 'ix_parallel_ops%'"
VALID = f"SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text {OURS}"
USED = f"SELECT count(*) FROM pg_stat_user_indexes WHERE idx_scan > 0 AND indexrelname {OURS}"
PATHS = (
    *("/summary?window_days=1", "/summary?window_days=90", "/trends?site_id=SH-01&target_object=Part"),
    *("/doc-sync/failures?page_size=200", "/workflow/failures?window_days=90&page=2"),
)


async def test_with_them_every_answer_is_the_same(
    spare: asyncpg.Connection, spare_url: str, serve: Serve
) -> None:
    await seed(spare, Counts.of(2_000), NOW)
    before = await _answers(serve, spare_url)
    statements = optional_indexes()
    for statement in statements * 2:  # the second time is harmless
        await spare.execute(statement)
    assert await spare.fetchval(VALID) == len(statements) == 5
    # PostgreSQL may still prefer a scan of so small a table; then these answers would prove nothing.
    await spare.execute("ALTER DATABASE spare SET enable_seqscan = off")
    assert await _answers(serve, spare_url) == before

    async def used() -> bool:
        return bool(await spare.fetchval(USED))

    await until(used)  # sessions report what they used as they end


async def _answers(serve: Serve, url: str) -> list[str]:
    async with serve(NOW, database_url=url) as client:
        responses = [await client.get(PREFIX + path) for path in PATHS]
    assert all(response.status_code == 200 for response in responses)
    return [response.text for response in responses]
