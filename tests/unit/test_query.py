"""What a caller asks for unless he says otherwise, and the values that are allowed."""

from service.overview import query
from service.overview.query import AlertsQuery, PageQuery, Query, TrendsExportQuery, TrendsQuery

WEEK = Query(7)


def test_the_allowed_values_are_the_contracts() -> None:
    assert (query.WINDOW_DAYS, query.BUCKET_DAYS) == ((1, 7, 14, 30, 90), (1, 7, 14, 30))
    assert (query.BUCKET_HOURS, query.HOURLY_WINDOWS, query.CLOCK_BUCKETS) == ((1, 6), (1, 7), (1, 7))
    assert (query.ALIGNMENTS, query.LEVELS) == (("window", "clock"), ("warn", "critical", "info"))


def test_trends_are_by_the_day_back_from_now_and_a_file_of_them_is_json() -> None:
    assert TrendsQuery(WEEK) == TrendsQuery(WEEK, bucket_days=1, align="window", bucket_hours=None)
    assert TrendsExportQuery(WEEK).export_format == "json"


def test_nothing_is_kept_or_overridden_that_is_not_said() -> None:
    assert (WEEK.filters.site_id, WEEK.filters.target_object, WEEK.filters.template_key) == (None, None, None)
    overrides = AlertsQuery(WEEK, None).overrides
    assert {getattr(overrides, name) for name in overrides.__struct_fields__} == {None}
    page = PageQuery(7, None, 1, 20)
    assert (page.result_code, page.error) == (None, None)
