"""/summary: every rule of the sections, each with the rows that would catch the obvious mistake."""

import json
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support.api import PREFIX
from tests.support.builders import (
    INFINITY,
    SQL_NULL,
    Database,
    Row,
    incident,
    insert,
    job,
    plan,
    raw,
    run,
    template,
)
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
BUILDERS = (
    ("jobs", job, "doc_sync"),
    ("runs", run, "workflow_actions"),
    ("incidents", incident, "breakages"),
)


async def test_an_empty_database_gives_zeros_empty_maps_and_null_rates(ask: Ask) -> None:
    assert (await ask("/summary")).json() == {
        "generated_at": "2026-03-10T09:30:00Z",
        "window_days": 7,
        "window_since": "2026-03-03T09:30:00Z",
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
        "oldest_reading": "2026-03-10T09:30:00Z",
        "previous": {
            "window_since": "2026-02-24T09:30:00Z",
            "doc_sync": {
                "total": 0,
                "failed_total": 0,
                "dead_letter_total": 0,
                "dead_letter_rate": None,
                "success_rate": None,
            },
            "workflow_actions": {"total": 0, "failed_total": 0, "failed_rate": None},
            "breakages": {"total": 0, "open_total": 0, "open_rate": None},
            "overlay_cache": {"requests": 0, "hit_rate": None},
        },
        "degraded": [],
        "operator_id": None,
    }


async def test_keys_come_in_the_contracts_order(ask: Ask) -> None:
    assert list((await ask("/summary")).json()) == [
        *("generated_at", "window_days", "window_since", "doc_sync", "workflow_actions", "breakages"),
        *("consumption_templates", "overlay_cache", "slo_hints", "slo_thresholds", "oldest_reading"),
        *("previous", "degraded", "operator_id"),
    ]


@pytest.mark.parametrize("window_days", [1, 7, 14, 30, 90])
async def test_a_window_starts_whole_days_before_the_answers_instant(ask: Ask, window_days: int) -> None:
    summary = (await ask("/summary", window_days=window_days)).json()
    assert summary["window_days"] == window_days
    assert summary["window_since"] == f"{NOW - window_days * DAY:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(("table", "build", "section"), BUILDERS)
async def test_rows_count_from_the_windows_first_instant_on_and_without_an_end(
    ask: Ask, table: str, build: Callable[..., Row], section: str
) -> None:
    since = NOW - 7 * DAY
    inside = [since, since + MICROSECOND, NOW, NOW + MICROSECOND, NOW + 400 * DAY, INFINITY]
    rows = [build(created_at=created_at) for created_at in [*inside, since - MICROSECOND]]
    summary = (await ask("/summary", Database(**{table: rows}))).json()
    assert summary[section]["total"] == len(inside)


async def test_a_job_without_a_time_is_in_no_window(ask: Ask) -> None:
    rows = Database(jobs=[job(created_at=None), job(created_at=NOW)])
    assert (await ask("/summary", rows, window_days=90)).json()["doc_sync"]["total"] == 1


async def test_document_sync_tasks_start_with_the_literal_prefix(ask: Ask) -> None:
    ours = ["document_sync_push", "document_sync_", "document_sync_%", "document_sync_文"]
    others = [
        *("documentXsyncYpush", "document_sync", "DOCUMENT_SYNC_push", " document_sync_push"),
        *("my_document_sync_push", "document\\_sync\\_push", ""),
    ]
    rows = Database(jobs=[job(task_type=name, created_at=NOW) for name in ours + others])
    assert (await ask("/summary", rows)).json()["doc_sync"]["total"] == len(ours)


async def test_statuses_are_lower_cased_and_blank_ones_are_unknown(ask: Ask) -> None:
    statuses = ["Failed", "FAILED", "failed", None, "", "Unknown", " failed", "ОШИБКА", "ошибка"]
    rows = Database(jobs=[job(status=status, created_at=NOW) for status in statuses])
    by_status = (await ask("/summary", rows)).json()["doc_sync"]["by_status"]
    assert list(by_status.items()) == [(" failed", 1), ("failed", 3), ("unknown", 3), ("ошибка", 2)]


async def test_rates_are_plain_quotients(ask: Ask) -> None:
    rows = Database(jobs=[job(status=status, created_at=NOW) for status in ("COMPLETED", "failed", None)])
    assert (await ask("/summary", rows)).json()["doc_sync"]["success_rate"] == 1 / 3


async def test_a_dead_letter_is_a_failed_job_that_has_used_up_its_attempts(ask: Ask) -> None:
    dead = [("failed", 3, 3), ("FAILED", 4, 3), ("Failed", 1, 1)]
    alive = [
        *(("failed", 2, 3), ("failed", None, 3), ("failed", 0, 0), ("failed", 5, 0), ("failed", 5, None)),
        *(("failed", None, None), ("failed", -1, -1), ("completed", 3, 3), (None, 3, 3), (" failed", 3, 3)),
    ]
    rows = [
        job(status=status, attempt_count=attempts, max_attempts=limit, created_at=NOW)
        for status, attempts, limit in dead + alive
    ]
    doc_sync = (await ask("/summary", Database(jobs=rows))).json()["doc_sync"]
    assert doc_sync["dead_letter_total"] == len(dead)
    assert doc_sync["dead_letter_rate"] == len(dead) / len(rows)


async def test_average_attempts_count_null_as_none_and_have_four_places(ask: Ask) -> None:
    rows = Database(jobs=[job(attempt_count=count, created_at=NOW) for count in (None, 1, 1)])
    assert (await ask("/summary", rows)).json()["doc_sync"]["avg_attempt_count"] == 0.6667


async def test_attempts_may_add_up_to_more_than_an_integer_column_holds(ask: Ask) -> None:
    rows = Database(jobs=[job(attempt_count=2**31 - 1, created_at=NOW) for _ in range(3)])
    assert (await ask("/summary", rows)).json()["doc_sync"]["avg_attempt_count"] == 2**31 - 1


SITES = (
    *('{"site_id": "S1"}', '{"site_id": " S1\\t\\u00a0\\u3000"}', '{"site_id": "s1"}', '{"site_id": "S10"}'),
    *('{"site_id": 7}', '{"site_id": "7"}', '{"site_id": " 7 "}', '{"site_id": 7.0}', '{"site_id": 1e2}'),
    *('{"site_id": ""}', '{"site_id": null}', '{"site_id": true}', '{"site_id": ["S1"]}', "{}", "null"),
    *('{"site_id": {"site_id": "S1"}}', '["site_id", "S1"]', '[{"site_id": "S1"}]', '"S1"', '"site_id"', "7"),
    *('{"SITE_ID": "S1"}', '{"site_id": "工場"}', '{"site_id": "%"}', '{"site_id": "true"}'),
)


SITE_FILTERS = {
    **{"S1": 2, " S1 ": 2, "\u3000S1\xa0": 2, "s1": 1, "S": 0, "7": 3, "7.0": 1, "100": 1, "1e2": 0},
    **{"true": 1, "null": 0, "%": 1, "_": 0, "工場": 1, "": len(SITES), " \xa0\t": len(SITES)},
}


async def test_a_site_filter_keeps_jobs_whose_payload_names_that_site(
    database: asyncpg.Connection, serve: Serve
) -> None:
    jobs = [job(payload=raw(payload), created_at=NOW) for payload in SITES]
    await insert(database, Database(jobs=jobs))
    async with serve(NOW) as client:
        for site_id, total in SITE_FILTERS.items():
            answer = await client.get(f"{PREFIX}/summary", params={"site_id": site_id})
            found = answer.json()["doc_sync"]
            assert (found["total"], found["site_filter"]) == (total, site_id.strip() or None), site_id


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("site_id", "doc_sync"),
        ("target_object", "workflow_actions"),
        ("template_key", "consumption_templates"),
    ],
)
async def test_a_filter_touches_its_own_section_only(ask: Ask, name: str, section: str) -> None:
    rows = Database([job(created_at=NOW)], [run(created_at=NOW)], [incident(created_at=NOW)], [template("a")])
    summary = (await ask("/summary", rows, **{name: "nowhere"})).json()
    totals = {
        "doc_sync": summary["doc_sync"]["total"],
        "workflow_actions": summary["workflow_actions"]["total"],
        "breakages": summary["breakages"]["total"],
        "consumption_templates": summary["consumption_templates"]["versions_total"],
    }
    assert totals == {**dict.fromkeys(totals, 1), section: 0}


async def test_target_objects_compare_exactly(ask: Ask) -> None:
    targets = ["Part", "Part", "part", " Part", "Part ", "P_rt", "%"]
    rows = Database(runs=[run(target_object=target, created_at=NOW) for target in targets])
    actions = (await ask("/summary", rows, target_object=" Part ")).json()["workflow_actions"]
    assert (actions["total"], actions["target_object_filter"]) == (2, "Part")


async def test_result_codes_are_counted_as_text_and_only_of_objects(ask: Ask) -> None:
    unknown = ["{}", '{"result_code": null}', '{"result_code": ""}', '{"result_code": 0}']
    unknown += ['{"result_code": 0.0}', '{"result_code": -0}', '{"result_code": false}', '{"code": "OK"}']
    unknown += ['{"result_code": "UNKNOWN"}', '{"Result_code": "OK"}']
    named = ['{"result_code": "OK"}', '{"result_code": "ok"}', '{"result_code": 7}', '{"result_code": 7.50}']
    named += ['{"result_code": true}', '{"result_code": " "}', '{"result_code": "0"}', '{"result_code": []}']
    none = ["null", "[]", '["result_code"]', '[{"result_code": "OK"}]', '"result_code"', '"OK"', "7", "true"]
    results: list[object] = [raw(text) for text in unknown + named + none]
    rows = Database(runs=[run(result=result, created_at=NOW) for result in [*results, SQL_NULL]])
    actions = (await ask("/summary", rows)).json()["workflow_actions"]
    codes = {" ": 1, "0": 1, "7": 1, "7.50": 1, "OK": 1, "UNKNOWN": len(unknown), "[]": 1, "ok": 1, "true": 1}
    assert list(actions["by_result_code"].items()) == list(codes.items())
    assert actions["total"] == len(rows.runs)


async def test_workflow_rates_are_of_failed_and_of_warning_runs(ask: Ask) -> None:
    statuses = ["FAILED", "failed", "Warning", "completed", "failed ", "", "warn"]
    rows = Database(runs=[run(status=status, created_at=NOW) for status in statuses])
    actions = (await ask("/summary", rows)).json()["workflow_actions"]
    assert (actions["failed_rate"], actions["warning_rate"]) == (2 / 7, 1 / 7)
    assert actions["by_status"]["unknown"] == 1


async def test_breakages_are_counted_by_three_properties(ask: Ask) -> None:
    rows = [
        incident(status="Open", severity="MAJOR", responsibility="QA", created_at=NOW),
        incident(status="OPEN", severity="major", responsibility="qa", created_at=NOW),
        incident(status=" open", severity="", responsibility="", created_at=NOW),
        incident(status="", severity="minor", responsibility=None, created_at=NOW),
        incident(status="closed", severity="minor", responsibility=" ", created_at=NOW),
    ]
    breakages = (await ask("/summary", Database(incidents=rows))).json()["breakages"]
    assert breakages["by_status"] == {" open": 1, "closed": 1, "open": 2, "unknown": 1}
    assert breakages["by_severity"] == {"major": 2, "minor": 2, "unknown": 1}
    assert breakages["by_responsibility"] == {" ": 1, "QA": 1, "qa": 1, "unassigned": 2}
    assert (breakages["open_total"], breakages["open_rate"]) == (2, 2 / 5)
    assert list(breakages["by_responsibility"]) == sorted(breakages["by_responsibility"])


async def test_repeated_breakages_share_a_description_but_for_case_and_outer_white_space(ask: Ask) -> None:
    descriptions = [
        *("Leak", "leak ", "\u00a0LEAK\n", "crack", "Crack", "seal", "a  b", "a b"),
        *("", "", " ", "\t", "\u3000"),
    ]
    rows = Database(incidents=[incident(description=text, created_at=NOW) for text in descriptions])
    breakages = (await ask("/summary", rows)).json()["breakages"]
    assert breakages["repeated_total"] == 3 + 2
    assert breakages["repeated_rate"] == 5 / len(descriptions)


async def test_a_breakage_outside_the_window_makes_none_inside_repeated(ask: Ask) -> None:
    rows = [incident(description="Leak", created_at=NOW - age * DAY) for age in (1, 8)]
    assert (await ask("/summary", Database(incidents=rows))).json()["breakages"]["repeated_total"] == 0


TRUTHY = ("true", "1", "-1", "0.5", "1e-7", '"x"', '" "', '"0"', '"false"', "[0]", "[[]]", '{"a": 0}')
FALSY = ("false", "null", "0", "0.0", "-0", "0e5", '""', "[]", "{}")


async def test_a_template_version_is_told_by_any_truthy_json_value(ask: Ask) -> None:
    rows = [_version(text, is_template_version=text) for text in TRUTHY + FALSY]
    rows.append(plan(properties={"template": {"key": "no flag at all"}}))
    templates = (await ask("/summary", Database(plans=rows))).json()["consumption_templates"]
    assert templates["templates_without_active"] == sorted(f"key-{text}" for text in TRUTHY)
    assert (templates["versions_total"], templates["templates_total"]) == (len(TRUTHY), len(TRUTHY))


async def test_an_active_version_is_told_by_any_truthy_json_value(ask: Ask) -> None:
    rows = [_version(text, is_active=text) for text in TRUTHY + FALSY]
    templates = (await ask("/summary", Database(plans=rows))).json()["consumption_templates"]
    assert templates["active_versions_total"] == len(TRUTHY)
    assert templates["templates_without_active"] == sorted(f"key-{text}" for text in FALSY)


def _version(name: str, is_template_version: str = "true", is_active: str = "false") -> Row:
    """A template version whose flags are JSON texts."""
    flags = f'"is_template_version": {is_template_version}, "is_active": {is_active}'
    return plan(properties=raw(f'{{"template": {{"key": {json.dumps("key-" + name)}, {flags}}}}}'))


async def test_template_keys_are_trimmed_strings_or_numbers(ask: Ask) -> None:
    good = ['"pump"', '" pump\\u3000"', "7", '"7"', "7.0", '"Pump"']
    bad = ['""', '" \\u00a0"', "null", "true", '["pump"]', '{"key": "pump"}']
    versions = [raw(f'{{"template": {{"key": {key}, "is_template_version": true}}}}') for key in good + bad]
    templates = (
        await ask("/summary", Database(plans=[plan(properties=version) for version in versions]))
    ).json()["consumption_templates"]
    assert templates["versions_total"] == len(good)
    assert templates["templates_without_active"] == ["7", "7.0", "Pump", "pump"]


async def test_plans_whose_template_is_no_object_hold_no_version(ask: Ask) -> None:
    texts = ["null", "[]", "{}", '"template"', '["template"]', '{"template": null}', '{"template": "key"}']
    texts += ['{"template": ["key", "is_template_version"]}', '{"key": "a", "is_template_version": true}']
    texts += ['[{"template": {"key": "a", "is_template_version": true}}]']
    rows = [plan(properties=raw(text)) for text in texts] + [plan(properties=SQL_NULL)]
    templates = (await ask("/summary", Database(plans=rows))).json()["consumption_templates"]
    assert templates["versions_total"] == 0


async def test_templates_have_no_window(ask: Ask) -> None:
    rows = [template("old", created_at=NOW - 4000 * DAY), template("next", created_at=NOW + 40 * DAY)]
    templates = (await ask("/summary", Database(plans=rows), window_days=1)).json()["consumption_templates"]
    assert templates["versions_total"] == 2


async def test_templates_with_two_active_versions_and_with_none_are_listed(ask: Ask) -> None:
    rows = [template("one", active=True), template("one"), template("none"), template("none")]
    rows += [template("two", active=True), template(" two ", active=True), template("two")]
    rows += [template("also two", active="yes"), template("also two", active=1)]
    templates = (await ask("/summary", Database(plans=rows))).json()["consumption_templates"]
    assert templates == {
        "versions_total": 9,
        "templates_total": 4,
        "active_versions_total": 5,
        "invalid_active_templates": ["also two", "two"],
        "templates_without_active": ["none"],
        "template_key_filter": None,
    }


async def test_a_template_key_keeps_the_versions_of_one_template(
    database: asyncpg.Connection, serve: Serve
) -> None:
    keys = ["pump", " pump ", "Pump", 7, "7"]
    await insert(database, Database(plans=[template(key) for key in keys]))
    async with serve(NOW) as client:
        for key, total in (("pump", 2), ("\u2003pump\n", 2), ("7", 2), ("pum", 0), ("%", 0)):
            answer = await client.get(f"{PREFIX}/summary", params={"template_key": key})
            found = answer.json()["consumption_templates"]
            assert (found["versions_total"], found["template_key_filter"]) == (total, key.strip())


@pytest.mark.usefixtures("database")
async def test_overlay_counters_are_those_of_the_windows_hours_and_of_live_processes(
    serve: Serve, redis: Redis
) -> None:
    async with serve(NOW) as client:
        await redis.hset(
            "parallel-ops:{-}:overlay:counts:2026-03-09",
            mapping={"08:hits": 1000, "09:hits": 6, "09:misses": 2, "23:evictions": 5},
        )
        await redis.hset(
            "parallel-ops:{-}:overlay:counts:2026-03-10", mapping={"09:hits": 2, "10:hits": 1000}
        )
        for number, entries in enumerate((10, 20)):
            await redis.hset(
                f"parallel-ops:{{-}}:overlay:process:p{number}",
                mapping={"entries": entries, "ttl_seconds": 300 - number, "max_entries": 500 + number},
            )
        summary = (await client.get(f"{PREFIX}/summary?window_days=1")).json()
    assert summary["overlay_cache"] == {
        "entries": 30,
        "hits": 8,
        "misses": 2,
        "evictions": 5,
        "ttl_seconds": 300,
        "max_entries": 501,
        "requests": 10,
        "hit_rate": 0.8,
    }
    assert summary["slo_hints"] == []  # 0.8 is not below 0.8
    assert summary["degraded"] == []


async def test_hints_are_given_past_their_thresholds_and_not_on_them(ask: Ask) -> None:
    dead = {"status": "failed", "attempt_count": 3, "max_attempts": 3}
    rows = Database(
        jobs=[job(**(dead if number < 1 else {}), created_at=NOW) for number in range(20)],
        runs=[run(status="failed" if number < 1 else "completed", created_at=NOW) for number in range(50)],
        incidents=[
            incident(status="open" if number < 1 else "closed", created_at=NOW) for number in range(2)
        ],
    )
    summary = (await ask("/summary", rows)).json()
    assert summary["doc_sync"]["dead_letter_rate"] == 0.05
    assert summary["workflow_actions"]["failed_rate"] == 0.02
    assert summary["breakages"]["open_rate"] == 0.5
    assert summary["slo_hints"] == []


async def test_generated_at_is_the_start_of_the_tick(serve: Serve) -> None:
    async with serve(NOW + timedelta(seconds=14.9)) as client:
        summary = (await client.get(f"{PREFIX}/summary")).json()
    assert summary["generated_at"] == "2026-03-10T09:30:00Z"
