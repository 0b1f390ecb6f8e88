"""What schemathesis has to be told beside the document."""

from typing import Any

import schemathesis

WINDOWS = ("1", "7", "14", "30", "90")
BUCKETS = ("1", "7", "14", "30")
HOURLY = ("1", "7")
TOO_LONG = ("14", "30")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:  # noqa: ANN401
    """Leave out buckets that do not go with their window, or each other: the document cannot relate those.

    test_errors.py shows that those are refused.
    """
    query = case.query if isinstance(case.query, dict) else {}
    if "bucket_hours" in query and ("bucket_days" in query or str(query.get("window_days", 7)) not in HOURLY):
        return False
    if str(query.get("align")).strip().lower() == "clock" and str(query.get("bucket_days")) in TOO_LONG:
        return False
    window_days, bucket_days = str(query.get("window_days", 7)), str(query.get("bucket_days", 1))
    known = window_days in WINDOWS and bucket_days in BUCKETS
    return not known or int(bucket_days) <= int(window_days)
