"""The oracle is right: its answers to small databases against figures worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import oracle
from tests.oracle import Buckets, Limits, Query, Thresholds
from tests.support.builders import SQL_NULL, Database, incident, job, plan, raw, run, template

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
ONE_DAY = Query(1)
OVERLAY = {"entries": 3, "hits": 7, "misses": 3, "evictions": 1, "ttl_seconds": 60, "max_entries": 50}


def summary(database: Database, query: Query = ONE_DAY) -> oracle.Document:
    return oracle.summary(database, NOW, OVERLAY, query)


def doc_sync(*jobs: dict[str, object], query: Query = ONE_DAY) -> oracle.Document:
    section = summary(Database(jobs=list(jobs)), query)["doc_sync"]
    assert isinstance(section, dict)
    return section


def spans(window_days: int, bucket_days: int) -> list[tuple[str, str, bool]]:
    points = oracle.trends(Database(), NOW, OVERLAY, Query(window_days), Buckets(bucket_days))["points"]
    return [(point["bucket_start"], point["bucket_end"], point["partial"]) for point in points]


def test_an_empty_database_has_zeros_and_no_rates() -> None:
    assert oracle.summary(Database(), NOW, None, Query(7, site_id="  ")) == {
        "generated_at": "2026-03-01T12:00:00Z",
        "window_days": 7,
        "window_since": "2026-02-22T12:00:00Z",
        "doc_sync": {
            "total": 0,
            "by_status": {},
            "success_rate": None,
            "dead_letter_total": 0,
            "dead_letter_rate": None,
            "avg_attempt_count": 0.0,
            "site_filter": None,
            "by_direction": {},
            "by_site": [],
        },
        "workflow_actions": {
            "total": 0,
            "by_status": {},
            "by_result_code": {},
            "failed_rate": None,
            "warning_rate": None,
            "target_object_filter": None,
            "by_target_object": [],
        },
        "breakages": {
            "total": 0,
            "by_status": {},
            "by_severity": {},
            "by_responsibility": {},
            "open_total": 0,
            "open_rate": None,
            "repeated_total": 0,
            "repeated_rate": None,
        },
        "consumption_templates": {
            "versions_total": 0,
            "templates_total": 0,
            "active_versions_total": 0,
            "invalid_active_templates": [],
            "templates_without_active": [],
            "template_key_filter": None,
        },
        "overlay_cache": {
            "entries": 0,
            "hits": 0,
            "misses": 0,
            "evictions": 0,
            "ttl_seconds": 0,
            "max_entries": 0,
            "requests": 0,
            "hit_rate": None,
        },
        "slo_hints": [],
        "slo_thresholds": {
            "overlay_cache_hit_rate": {"warn": 0.8, "critical": None},
            "overlay_cache_min_requests": 10,
            "doc_sync_dead_letter_rate": {"warn": 0.05, "critical": None},
            "workflow_failed_rate": {"warn": 0.02, "critical": None},
            "breakage_open_rate": {"warn": 0.5, "critical": None},
        },
        "oldest_reading": "2026-03-01T12:00:00Z",
        "previous": {
            "window_since": "2026-02-15T12:00:00Z",
            "doc_sync": {
                "total": 0,
                "failed_total": 0,
                "dead_letter_total": 0,
                "dead_letter_rate": None,
                "success_rate": None,
            },
            "workflow_actions": {"total": 0, "failed_total": 0, "failed_rate": None},
            "breakages": {"total": 0, "open_total": 0, "open_rate": None},
            "overlay_cache": None,
        },
        "degraded": ["overlay_cache"],
        "operator_id": None,
    }


def test_a_window_begins_at_its_first_instant_and_never_ends() -> None:
    times = [NOW - DAY, NOW - DAY - MICROSECOND, NOW, NOW + 300 * DAY, None]
    assert doc_sync(*(job(created_at=time) for time in times))["total"] == 3


def test_thirty_days_in_fortnights_end_with_two_days() -> None:
    assert spans(30, 14) == [
        ("2026-01-30T12:00:00Z", "2026-02-13T12:00:00Z", False),
        ("2026-02-13T12:00:00Z", "2026-02-27T12:00:00Z", False),
        ("2026-02-27T12:00:00Z", "2026-03-01T12:00:00Z", True),
    ]


def test_ninety_days_in_fortnights_end_with_six_days() -> None:
    points = spans(90, 14)
    assert len(points) == 7
    assert points[-1] == ("2026-02-23T12:00:00Z", "2026-03-01T12:00:00Z", True)
    assert [partial for _, _, partial in points[:-1]] == [False] * 6


@pytest.mark.parametrize(
    ("window_days", "bucket_days", "how_many", "partial"),
    [
        (1, 1, 1, False),
        (7, 7, 1, False),
        (14, 7, 2, False),
        (30, 7, 5, True),
        (90, 7, 13, True),
        (90, 30, 3, False),
    ],
)
def test_only_a_clipped_last_point_is_partial(
    window_days: int, bucket_days: int, how_many: int, partial: bool
) -> None:
    points = spans(window_days, bucket_days)
    assert len(points) == how_many
    assert [point[2] for point in points] == [False] * (how_many - 1) + [partial]


def test_a_row_on_an_edge_opens_the_next_bucket_and_a_late_one_is_in_the_newest() -> None:
    edge = NOW - 2 * DAY
    times = [NOW - 30 * DAY, edge - MICROSECOND, edge, NOW + DAY]
    rows = [incident(created_at=time, status="Open") for time in times]
    answer = oracle.trends(Database(incidents=rows), NOW, OVERLAY, Query(30), Buckets(14))
    assert [point["breakages"]["open_total"] for point in answer["points"]] == [1, 1, 2]
    assert answer["aggregates"]["breakages_open_total"] == 4


def test_only_the_literal_prefix_makes_a_document_sync_job() -> None:
    types = [
        "document_sync_push",
        "document_sync_",
        "documentXsyncYpush",
        "DOCUMENT_SYNC_x",
        "xdocument_sync_",
    ]
    assert doc_sync(*(job(task_type=task_type) for task_type in types))["total"] == 2


def test_job_figures_lower_statuses_and_count_nulls_as_zero() -> None:
    section = doc_sync(
        job(status="FAILED", attempt_count=3, max_attempts=3),
        job(status="failed", attempt_count=None, max_attempts=None),
        job(status="Completed", attempt_count=4, max_attempts=1),
        job(status=None),
        job(status="", attempt_count=0),
        job(status=" ", attempt_count=0),
    )
    assert section["by_status"] == {" ": 1, "completed": 1, "failed": 2, "unknown": 2}
    assert (section["dead_letter_total"], section["dead_letter_rate"]) == (1, 1 / 6)
    assert (section["success_rate"], section["avg_attempt_count"]) == (1 / 6, 1.3333)


@pytest.mark.parametrize(
    ("payload", "site"),
    [
        ('{"site_id": "\\u2003S1\\u001f"}', "S1"),
        ('{"site_id": 7}', "7"),
        ('{"site_id": 7.0}', "7.0"),
        ('{"site_id": -0}', "0"),
        ('{"site_id": -0.0}', "0.0"),
        ('{"site_id": 1e2}', "100"),
        ('{"site_id": 1.50e1}', "15.0"),
        ('{"site_id": 12e-4}', "0.0012"),
        ('{"site_id": "  "}', ""),
        ('{"site_id": true}', None),
        ('{"site_id": null}', None),
        ('{"site_id": ["S1"]}', None),
        ('["site_id"]', None),
        ("{}", None),
        ("null", None),
    ],
)
def test_a_site_is_a_trimmed_string_or_the_text_of_a_number(payload: str, site: str | None) -> None:
    assert oracle.site_of(job(payload=raw(payload))) == site


def test_a_site_filter_is_trimmed_and_keeps_equal_sites() -> None:
    jobs = [job(payload={"site_id": site}) for site in (" 7 ", 7, 7.0, "07", True)]
    section = doc_sync(*jobs, query=Query(1, site_id="\t7\u3000"))
    assert (section["total"], section["site_filter"]) == (2, "7")


@pytest.mark.parametrize(
    ("code", "counted_as"),
    [
        ('"OK "', "OK "),
        ('""', "UNKNOWN"),
        ("null", "UNKNOWN"),
        ("false", "UNKNOWN"),
        ("0.0", "UNKNOWN"),
        ('"0"', "0"),
        ("true", "true"),
        ("7.10", "7.10"),
        ("[]", "[]"),
        ("{}", "{}"),
        ('{"bb": 1e1, "a": ["\\u00e9\\n"]}', '{"a": ["é\\n"], "bb": 10}'),
    ],
)
def test_a_result_code_counts_as_its_text(code: str, counted_as: str) -> None:
    runs = [run(result=raw(f'{{"result_code": {code}}}'))]
    assert summary(Database(runs=runs))["workflow_actions"]["by_result_code"] == {counted_as: 1}


def test_only_results_that_are_objects_have_a_code() -> None:
    results = [SQL_NULL, None, ["result_code"], "result_code", 7, {}, {"result_code": "OK"}]
    section = summary(Database(runs=[run(result=result) for result in results]))["workflow_actions"]
    assert (section["total"], section["by_result_code"]) == (7, {"OK": 1, "UNKNOWN": 1})


def test_target_objects_compare_exactly() -> None:
    runs = [run(target_object=name, status="Warning") for name in ("Part", "part", "Part ")]
    section = summary(Database(runs=runs), Query(1, target_object=" Part "))["workflow_actions"]
    assert (section["total"], section["warning_rate"], section["failed_rate"]) == (1, 1.0, 0.0)


def test_repeated_incidents_share_a_trimmed_lowered_description() -> None:
    texts = ["Leak", " leak\u00a0", "LEAK", "Трещина", "трещина", "crack", " ", "\t", ""]
    section = summary(Database(incidents=[incident(description=text) for text in texts]))["breakages"]
    assert (section["repeated_total"], section["repeated_rate"]) == (5, 5 / 9)


def test_responsibility_is_verbatim() -> None:
    rows = [incident(responsibility=who) for who in (None, "", "unassigned", " QA", "qa")]
    section = summary(Database(incidents=rows))["breakages"]
    assert section["by_responsibility"] == {" QA": 1, "qa": 1, "unassigned": 3}


def test_templates_count_by_key_whatever_their_age() -> None:
    plans = [
        template(" A ", active=True, created_at=NOW - 5000 * DAY),
        template("A", version="no", active=[0]),
        template(7, active=0),
        template(7.0, active="0"),
        template("B", active={}),
        template("C", version=0),
        template("  "),
        template(True),
        template(None),
        plan(properties={"template": ["key"]}),
        plan(properties=["template"]),
        plan(),
    ]
    assert summary(Database(plans=plans))["consumption_templates"] == {
        "versions_total": 5,
        "templates_total": 4,
        "active_versions_total": 3,
        "invalid_active_templates": ["A"],
        "templates_without_active": ["7", "B"],
        "template_key_filter": None,
    }


def test_a_rate_at_its_threshold_gives_no_hint_and_one_past_it_does() -> None:
    closed, still_open = incident(), incident(status="open")
    assert summary(Database(incidents=[closed, still_open]))["slo_hints"] == [
        {
            "code": "overlay_cache_hit_rate_low",
            "level": "warn",
            "message": "Overlay cache hit rate is below 0.8 in the selected window",
            "since": "2026-03-01T12:00:00Z",
            "quiet_since": None,
        }
    ]
    hints = summary(Database(incidents=[still_open], runs=[run(status="failed")]))["slo_hints"]
    assert [hint["message"] for hint in hints[1:]] == [
        "Workflow custom action failed rate is above 2%",
        "Open breakage ratio is above 50%",
    ]


def test_alerts_keep_one_level_and_name_the_threshold_that_was_crossed() -> None:
    database = Database(jobs=[job(status="failed", attempt_count=3)], incidents=[incident(status="open")])
    limits = Thresholds(dead_letter_rate=Limits(0.05, critical=0.125))
    answer = oracle.alerts(database, NOW, None, Query(1), " CRITICAL ", thresholds=limits)
    assert (answer["status"], answer["total"], answer["filters"]["level"]) == ("critical", 1, "critical")
    assert answer["by_code"] == {"doc_sync_dead_letter_rate_high": 1}
    assert answer["hints"][0]["message"] == "Document sync dead-letter rate is above 12.5%"
    assert oracle.alerts(database, NOW, None, Query(1), "warn", thresholds=limits)["status"] == "warning"
    assert oracle.alerts(database, NOW, None, Query(1), "info", thresholds=limits)["status"] == "ok"


def test_a_request_says_where_a_rate_warns_and_nothing_else() -> None:
    database = Database(runs=[run(status="failed"), run()], incidents=[incident(status="open")])
    configured = Thresholds(failed_rate=Limits(0.02, critical=0.9))
    limits = oracle.overridden(configured, {"workflow_failed_rate_warn": 0.5, "breakage_open_rate_warn": 1})
    answer = oracle.summary(database, NOW, None, Query(1), limits)
    assert answer["slo_hints"] == []
    assert answer["slo_thresholds"]["workflow_failed_rate"] == {"warn": 0.5, "critical": 0.9}
    assert oracle.overridden(limits, {}) == limits
    few = oracle.overridden(configured, {"overlay_cache_min_requests_warn": 11})
    assert oracle.summary(Database(), NOW, OVERLAY, Query(1), few)["slo_hints"] == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        *(("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@A1", "'@A1"), (" \t\r\n=1", "' \t\r\n=1")),
        *(("\tx", "'\tx"), ("\nx", "'\nx"), ("\r", "'\r"), ("'=1", "'=1"), ("a=1", "a=1"), (" x", " x")),
        *(("", ""), (" ", " "), (None, ""), (-1, "-1"), (-0.5, "-0.5"), (True, "true"), (1e-07, "1e-07")),
    ],
)
def test_a_cell_that_would_begin_a_formula_is_quoted_and_no_number_is(text: object, written: str) -> None:
    assert oracle.csv_cell(text) == written


def test_a_trend_in_csv_has_a_row_for_each_point() -> None:
    head, first, second = oracle.trends_csv(
        oracle.trends(Database(jobs=[job(created_at=NOW, status="failed")]), NOW, None, Query(14), Buckets(7))
    )
    assert (head[:4], first[:4]) == (
        ["bucket_start", "bucket_end", "partial", "doc_sync_total"],
        ["2026-02-15T12:00:00Z", "2026-02-22T12:00:00Z", "false", "0"],
    )
    assert dict(zip(head, second, strict=True))["doc_sync_success_rate"] == "0.0"
    assert dict(zip(head, first, strict=True))["doc_sync_success_rate"] == ""


def test_a_summary_in_csv_has_its_figures_and_its_maps() -> None:
    rows = oracle.summary_csv(summary(Database(jobs=[job(status="=1")], runs=[run()])))
    assert rows[:3] == [["metric", "value"], ["window_days", "1"], ["doc_sync.total", "1"]]
    assert rows[-3:] == [
        ["slo_hints.total", "1"],
        ["doc_sync.by_status.=1", "1"],
        ["workflow_actions.by_result_code.OK", "1"],
    ]


def test_failures_come_newest_first_by_pages() -> None:
    rows = [job(id=name, status="Failed", created_at=NOW) for name in ("a", "B", "b")]
    rows += [job(id="new", status="FAILED", created_at=NOW + DAY), job(id="done")]
    first = oracle.doc_sync_failures(Database(jobs=rows), NOW, Query(1), page=1, page_size=3)
    assert [row["id"] for row in first["jobs"]] == ["new", "b", "a"]
    assert first["pagination"] == {"page": 1, "page_size": 3, "pages": 2, "total": 4}
    assert first["jobs"][0]["created_at"] == "2026-03-02T12:00:00Z"
    past_the_end = oracle.doc_sync_failures(Database(jobs=rows), NOW, Query(1), page=3, page_size=3)
    assert (past_the_end["jobs"], past_the_end["total"]) == ([], 4)


def test_workflow_failures_show_the_code_as_it_is() -> None:
    results = [raw('{"result_code": 1e2}'), raw('{"result_code": {"a": [0.10]}}'), SQL_NULL, [1]]
    rows = [run(id=str(number), status="failed", result=result) for number, result in enumerate(results)]
    answer = oracle.workflow_failures(Database(runs=rows), NOW, Query(1))
    assert [row["result_code"] for row in reversed(answer["runs"])] == [100, {"a": [0.1]}, None, None]
    assert oracle.workflow_failures(Database(), NOW, Query(1))["pagination"]["pages"] == 0
