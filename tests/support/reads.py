"""What reading the database for everybody takes, in statements by table."""

from collections import Counter

import httpx

from tests.support.api import PREFIX

# Days of jobs, runs and incidents, recurring descriptions, and templates.
ONE_READING = Counter(
    {
        "meta_conversion_jobs": 1,
        "meta_workflow_custom_action_runs": 1,
        "meta_breakage_incidents": 2,
        "meta_consumption_plans": 1,
    }
)
# The first question reads the days of its window; all other days follow behind it.
FIRST_READING = Counter({table: 2 * count for table, count in ONE_READING.items()})


async def know_all_days(client: httpx.AsyncClient) -> None:
    """Ask for the largest window: no day is left to be read in this tick."""
    (await client.get(f"{PREFIX}/summary?window_days=90")).raise_for_status()
