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
# The first question is answered by statements for it alone; all days follow behind it.
FIRST_READING = Counter({table: 2 * count for table, count in ONE_READING.items()})


async def know_all_days(client: httpx.AsyncClient) -> None:
    """Have a first look, and wait for all that is read behind it: nothing is left to be read in this tick."""
    for asked in ("/summary?window_days=90", "/summary?window_days=90&site_id=whichever"):
        (await client.get(f"{PREFIX}{asked}")).raise_for_status()
