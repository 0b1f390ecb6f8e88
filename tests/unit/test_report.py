"""The report: what it says of nothing, of everything bad, of what cannot be had, and of hostile texts."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from service.overview.bounds import MAX_LABEL_LENGTH, OTHERS
from service.overview.failures import (
    FailedJob,
    FailedJobs,
    FailedRuns,
    KeptRun,
    OpenIncident,
    OpenIncidents,
)
from service.overview.query import Filters, Query
from service.overview.sections import DocSyncDay, WorkflowActionsDay
from service.overview.slo import Threshold, Thresholds
from service.report import report
from service.report.found import Found
from service.report.telling import MINUTES, Teller
from service.snapshots import Dated
from service.wording.figures import tone
from service.wording.words import LANGUAGES
from tests.support.reports import found
from tests.support.snapshots import INSTANT, NOTHING, SNAPSHOT

WHOLE = replace(SNAPSHOT, degraded=())
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![](//evil.example/x.png)",
    "=HYPERLINK(A1)",
    "+1|-2",
    "# heading",
    "1. one",
    "> - * _deep_ **bold** `code` ~~gone~~",
    "a|b\r\n\n# c",
    "<!-- &lt;b&gt; \\",
    "--- | ---",
)


def text_of(about: Found, language: str = "en", thresholds: Thresholds | None = None) -> str:
    """The report."""
    return report.written(about, language, thresholds or Thresholds()).decode()


def lines_of(about: Found, beginning: str, language: str = "en") -> list[str]:
    """The rest of the lines that begin with that."""
    lines = text_of(about, language).splitlines()
    return [line.removeprefix(beginning) for line in lines if line.startswith(beginning)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_nothing_it_calls_nothing_fine_and_shows_no_zero_rate(language: str) -> None:
    text = text_of(found(NOTHING), language)
    state = {"en": "**Overall state: Not judged**", "zh": "**总体状态：未判定**"}
    assert state[language] in text
    assert "%" not in text.replace("– |", "")
    assert text.count("| – | – | – | – / – / – / – / – | – |") == 3


def test_everything_bad_is_told_the_critical_first_with_figure_limit_before_and_since_when() -> None:
    limits = Thresholds(workflow_failed_rate=Threshold(0.02, 0.1))
    alerts = [line for line in text_of(found(WHOLE), thresholds=limits).splitlines() if line[:4] == "- **"]
    assert alerts == [
        "- **Workflow actions failing** (Critical): 15.0 %, limit 10 %; 4.0 % in the window before;"
        " hour by hour within its limit since 2026-03-10 09:00 UTC.",
        "- **Overlay cache hit rate is low** (Warning): 60.0 %, at least 80 %; 90.0 % in the window before;"
        " hour by hour past its limit since 2026-03-10 09:00 UTC.",
        "- **Document sync dead letters** (Warning): 16.7 %, limit 5 %; 6.2 % in the window before;"
        " hour by hour within its limit since 2026-03-10 09:00 UTC.",
        "- **Open breakages** (Warning): 62.5 %, limit 50 %; 12.5 % in the window before.",
    ]


def test_a_window_before_that_is_not_known_or_empty_is_no_zero() -> None:
    sections = {name: getattr(WHOLE, name) for name in ("doc_sync", "workflow_actions")}
    unknown = replace(WHOLE, **{name: replace(each, before=None) for name, each in sections.items()})
    assert text_of(found(unknown)).count("; the window before is not known") == 4
    empty = replace(WHOLE, doc_sync=replace(WHOLE.doc_sync, before=DocSyncDay()))
    assert text_of(found(empty)).count("; no data in the window before") == 1


def test_filters_are_named_and_so_is_what_is_not_filtered() -> None:
    asked = Query(7, Filters(target_object="E|C_"))
    assert lines_of(found(replace(WHOLE, query=asked)), "- Filters: ") == [
        r"all sites, Target object E\|C\_, all templates"
    ]


def test_the_oldest_reading_is_told_with_its_age() -> None:
    assert lines_of(found(WHOLE), "- Oldest reading: ") == ["2026-03-10 09:19:30 UTC, 10 min before"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_times_that_pass_are_told_in_the_largest_unit_of_which_there_are_two(seconds: int, told: str) -> None:
    assert Teller("en", ZoneInfo("UTC")).lasting(seconds) == told


@pytest.mark.parametrize(
    ("zone", "instant", "told"),
    [
        ("UTC", datetime(2026, 3, 10, 9, 30, tzinfo=UTC), "2026-03-10 09:30 UTC"),
        ("Asia/Shanghai", datetime(2026, 3, 10, 16, 30, tzinfo=UTC), "2026-03-11 00:30 +08:00"),
        ("America/St_Johns", datetime(2026, 3, 10, 9, 30, tzinfo=UTC), "2026-03-10 07:00 -02:30"),
        # The hour that there is twice.
        ("Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30 +02:00"),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 02:30 +01:00"),
        # Where the zone's clock would show a year that Python does not know.
        ("Asia/Shanghai", datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "9999-12-31 23:59 UTC"),
        ("Asia/Shanghai", None, "–"),
    ],
)
def test_times_are_the_zones_and_say_how_far_its_clock_is_off(
    zone: str, instant: datetime | None, told: str
) -> None:
    assert Teller("en", ZoneInfo(zone)).time(instant, MINUTES) == told


def test_the_file_has_the_zones_date_and_the_report_names_the_zone() -> None:
    late = replace(WHOLE, instant=datetime(2026, 3, 10, 16, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"))
    about = found(replace(late, doc_sync=NOTHING.doc_sync, workflow_actions=NOTHING.workflow_actions))
    assert report.file_name(about) == "parallel-ops-report-2026-03-11.md"
    assert text_of(about).startswith("# Parallel operations: report of 2026-03-11\n")
    assert lines_of(about, "- Time zone: ") == ["Asia/Shanghai"]
    assert report.file_name(found(WHOLE)) == "parallel-ops-report-2026-03-10.md"


def test_the_three_worst_are_named_and_codes_of_runs_that_went_well_are_not() -> None:
    codes = {"OK": 90, "ok": 80, "A": 3, "B": 4, "C": 4, "D": 2, OTHERS: 50}
    sites = tuple((name, DocSyncDay(total=4, failed=2, dead_letters=1)) for name in ("S1", None, "S2", "S3"))
    targets = tuple((f"T{n}", WorkflowActionsDay(10, 5 - n)) for n in range(4))
    snapshot = replace(
        WHOLE,
        doc_sync=replace(WHOLE.doc_sync, worst=sites),
        workflow_actions=replace(WHOLE.workflow_actions, worst=targets, by_result_code=codes),
    )
    text = text_of(found(snapshot))
    worst = text.partition("result codes\n\n")[2].partition("\n\n")[0].splitlines()
    dead = "1 dead letters (25.0 %) and 2 failed (50.0 %) of 4 jobs"
    assert worst == [
        *(f"- Site S1: {dead}", f"- Jobs without a site: {dead}", f"- Site S2: {dead}"),
        *(f"- Target object T{n}: {5 - n} failed ({5 - n}0.0 %) of 10 runs" for n in range(3)),
        *(
            f"- Result code {code}: {n} of 20 runs ({n * 5}.0 %)"
            for code, n in (("B", 4), ("C", 4), ("A", 3))
        ),
    ]


def test_a_list_that_cannot_be_had_or_is_of_another_time_says_so_in_its_place() -> None:
    about = found(WHOLE, jobs=None, incidents=OpenIncidents(0, ()))
    older = Dated(FailedRuns(0, ()), int(INSTANT.timestamp()) - 15, "stale")
    failures = text_of(replace(about, runs=older)).partition("## Newest failures\n\n")[2]
    assert failures == (
        "### Failed document syncs\n\nThe list could not be read just now.\n\n"
        "### Failed workflow actions (0)\n\nFigures as of: 2026-03-10 09:29:45 UTC\n\n"
        "No workflow action failed in this window.\n\n"
        "### Open breakages (0)\n\nNo breakage of this window is open.\n"
    )


def test_counters_that_cannot_be_had_are_named() -> None:
    away = replace(NOTHING, degraded=("overlay_cache",))
    assert "**Overall state: Degraded** – Some figures could not be had: 3D overlay cache." in text_of(
        found(away)
    )


def hostile(texts: tuple[str, ...]) -> Found:
    """All that others write, everywhere."""
    at = INSTANT - timedelta(hours=1)
    jobs = [FailedJob(text, *(text,) * 2, 1, 1, text, text, text, at, text) for text in texts]
    runs = [KeptRun(*(text,) * 8, 1, f'"{n}"', text, at) for n, text in enumerate(texts)]
    incidents = [OpenIncident(text, text, text, text, at) for text in texts]
    snapshot = replace(
        WHOLE,
        query=Query(7, Filters(*texts[:3])),
        doc_sync=replace(WHOLE.doc_sync, worst=tuple((text, DocSyncDay(2, 0, 1)) for text in texts[:3])),
        workflow_actions=replace(
            WHOLE.workflow_actions,
            worst=tuple((text, WorkflowActionsDay(2, 1)) for text in texts[:3]),
            by_result_code=dict.fromkeys(texts, 1),
        ),
    )
    many = len(texts)
    return found(
        snapshot,
        FailedJobs(many, tuple(jobs), texts),
        FailedRuns(many, tuple(runs), texts),
        OpenIncidents(many, tuple(incidents)),
    )


def shape(tokens: list[Token]) -> list[str]:
    """The blocks of a document, and what is no text within them."""
    inline = (child for token in tokens for child in token.children or [])
    return [token.type for token in tokens] + [child.type for child in inline if child.type != "text"]


def test_hostile_texts_change_nothing_in_how_it_is_rendered_and_are_there_as_text() -> None:
    plain = shape(MARKDOWN.parse(text_of(hostile(tuple("abcdefghijk")))))
    tokens = MARKDOWN.parse(text_of(hostile(HOSTILE)))
    assert [each for each in shape(tokens) if each != "text_special"] == plain
    shown = "\n".join(
        "".join(child.content for child in token.children or []) for token in tokens if token.children
    )
    for text in HOSTILE:
        assert re.sub(r"\r\n|\n", r"\\n", text) in shown


# A result code that says that all is well is not told.
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
).filter(lambda text: tone(text) != "good")


@example(text="|=")
@given(text=texts)
def test_no_text_is_markup_or_begins_a_line(text: str) -> None:
    """As many lines, and as many blocks and signs of ours, as with a harmless name."""
    harmless, other = text_of(hostile(("x",) * 3)), text_of(hostile((text,) * 3))
    assert len(other.splitlines()) == len(harmless.splitlines())
    # A bar that is escaped begins no cell.
    assert not re.search(r"^- [=+@]|^[=+@]|(?<!\\)\| ?[=+@-](?!-)", other, re.MULTILINE)
    assert [each for each in shape(MARKDOWN.parse(other)) if each != "text_special"] == shape(
        MARKDOWN.parse(harmless)
    )


def test_a_long_text_is_cut_and_a_row_has_one_line() -> None:
    job = FailedJob("J", "t", "failed", 1, 1, "x" * 8000 + "\nmore", None, None, None, "push")
    (line,) = lines_of(found(WHOLE, jobs=FailedJobs(1, (job,))), "- – · push · – · – · ")
    assert line == "x" * MAX_LABEL_LENGTH + "…"


def test_budgets_say_when_they_will_be_used_up() -> None:
    def last(month: DocSyncDay, hour: DocSyncDay) -> str:
        hours = (*WHOLE.doc_sync.by_hour[:-3], DocSyncDay(), DocSyncDay(), hour)
        doc_sync = replace(WHOLE.doc_sync, month=month, by_hour=hours)
        (row,) = lines_of(found(replace(WHOLE, doc_sync=doc_sync)), "| Document sync: dead-letter rate | ")
        return row.rpartition(" | ")[2]

    spent, half = DocSyncDay(1000, 0, 0, 50), DocSyncDay(1000, 0, 0, 25)
    assert last(spent, DocSyncDay()) == "already |"
    assert last(half, DocSyncDay()) == "– |"  # nothing happened in the last day
    assert last(half, DocSyncDay(100)) == "not at this pace |"
    assert last(half, DocSyncDay(100, 0, 0, 10)) == "in 8 d |"
