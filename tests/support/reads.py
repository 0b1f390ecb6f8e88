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


def is_first_reading(tables: Counter[str]) -> bool:
    """Whether all days were read once, and once at most what the first answers alone are of.

    A section that is not begun before all days are read, as may happen on a busy machine, has no such look.
    """
    return ONE_READING <= tables <= ONE_READING + ONE_READING


async def know_all_days(client: httpx.AsyncClient) -> None:
    """Have a first look, and wait for all that is read behind it: nothing is left to be read in this tick."""
    for asked in ("/summary?window_days=90", "/summary?window_days=90&site_id=whichever"):
        (await client.get(f"{PREFIX}{asked}")).raise_for_status()
