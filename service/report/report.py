"""The report: what a snapshot and its failures say, in words and rounded as people write, as Markdown."""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nsmallest

from msgspec.structs import asdict

from service.overview.alerts import states, unjudged
from service.overview.bounds import OTHERS
from service.overview.budgets import BUDGETED, OVER, Budget, each_of
from service.overview.clock import MONTH_DAYS
from service.overview.sections import Snapshot
from service.overview.slo import BY_CODE, OBJECTIVES, Hint, Objective, Thresholds
from service.overview.summary import Previous, Summary, rate, summarize
from service.report.failures import failures
from service.report.found import Found
from service.report.telling import SECONDS, Teller, listed, table, text
from service.wording.figures import NO_DATA, limit, number, percent, tone

WORST = 3
_FEW = 10


def file_name(found: Found) -> str:
    """The file's name, with the day that it is in the deployment's time zone."""
    return f"parallel-ops-report-{_day(found.snapshot)}.md"


def written(found: Found, language: str, thresholds: Thresholds) -> bytes:
    """The report as UTF-8, in one of LANGUAGES."""
    snapshot, teller = found.snapshot, Teller(language, found.snapshot.zone)
    summary = summarize(snapshot, thresholds)
    why_not = unjudged(summary, thresholds)
    blocks = [
        ["# " + teller.word("report.title", date=_day(snapshot))],
        listed(_scope(teller, snapshot, summary)),
        [_state(teller, summary, why_not)],
        ["## " + teller.word("alerts")],
        listed(_alerts(teller, summary, thresholds)) or _no_alerts(teller, why_not),
        ["## " + teller.word("report.budgets", n=MONTH_DAYS)],
        _budgets(teller, each_of(snapshot, thresholds)),
        ["## " + teller.word("report.worst")],
        listed(_worst(teller, summary)) or [teller.word("report.worst.none")],
        ["## " + teller.word("report.failures")],
        *failures(teller, found),
    ]
    return ("\n\n".join("\n".join(lines) for lines in blocks) + "\n").encode()


def _day(snapshot: Snapshot) -> str:
    return f"{snapshot.instant.astimezone(snapshot.zone):%Y-%m-%d}"


def _scope(teller: Teller, snapshot: Snapshot, summary: Summary) -> Iterator[str]:
    """Of when and of what the figures are."""
    word = teller.word
    yield teller.named(word("as_of"), teller.time(summary.generated_at, SECONDS))
    age = (summary.generated_at - summary.oldest_reading).total_seconds()
    read = teller.time(summary.oldest_reading, SECONDS)
    yield teller.named(word("report.oldest"), word("report.before", time=read, age=teller.lasting(age)))
    days = word("window.days", n=summary.window_days)
    since = word("window.since", time=teller.time(summary.window_since))
    yield teller.named(word("window"), word("report.comma").join((days, since)))
    kept = asdict(snapshot.query.filters).items()
    filters = (f"{word(name)} {text(value)}" if value else word(f"all.{name}") for name, value in kept)
    yield teller.named(word("filters"), word("report.comma").join(filters))
    yield teller.named(word("report.zone"), snapshot.zone.key)


def _state(teller: Teller, summary: Summary, why_not: Counter[str]) -> str:
    word, found = teller.word, states(summary, why_not)
    parts = word("report.comma").join(map(word, summary.degraded))
    counts = {"n": len(summary.slo_hints), "all": len(OBJECTIVES)}
    why = [word(f"state.{name}.why", parts=parts, **counts) for name in found]
    why += (word(f"state.{each}", n=n, all=len(OBJECTIVES)) for each, n in why_not.items())
    names = " · ".join(word(f"state.{name}") for name in found)
    return f"**{teller.named(word('state'), names)}** – {' '.join(why)}"


def _alerts(teller: Teller, summary: Summary, thresholds: Thresholds) -> Iterator[str]:
    """The hints, critical ones first."""
    for hint in sorted(summary.slo_hints, key=lambda hint: hint.level != "critical"):
        objective = BY_CODE[hint.code]
        passed = getattr(thresholds.of(objective), hint.level)
        side = "alert.below" if objective.is_floor else "alert.above"
        yield teller.word(
            "report.alert",
            name=teller.word(f"alert.{hint.code}"),
            level=teller.word(f"level.{hint.level}"),
            figure=percent(getattr(getattr(summary, objective.section), objective.rate)),
            limit=teller.word(side, limit=limit(passed)),
            more="".join((_before(teller, objective, summary.previous), _since(teller, hint))),
        )


def _before(teller: Teller, objective: Objective, previous: Previous | None) -> str:
    section = getattr(previous, objective.section, None)
    if section is None:
        return teller.word("report.no_previous")
    found = getattr(section, objective.rate)
    return teller.word("report.previous", figure=teller.word("no_data") if found is None else percent(found))


def _since(teller: Teller, hint: Hint) -> str:
    if hint.since is not None:
        return teller.word("report.since", time=teller.time(hint.since))
    if hint.quiet_since is not None:
        return teller.word("report.quiet_since", time=teller.time(hint.quiet_since))
    return ""


def _no_alerts(teller: Teller, why_not: Counter[str]) -> list[str]:
    """That nothing is past its limit, as far as that is known."""
    if not why_not:
        return [teller.word("alerts.none")]
    return [teller.word(f"alerts.{why}", n=n, all=len(OBJECTIVES)) for why, n in why_not.items()]


def _budgets(teller: Teller, budgets: Iterable[Budget]) -> list[str]:
    names = ("objective", "spent", "failed", "allowed", "burn_rates", "exhausted")
    over = " / ".join(OVER)
    head = [teller.word(f"report.{name}", over=over) for name in names]
    return table(head, (_budget(teller, *each) for each in zip(BUDGETED, budgets, strict=True)))


def _budget(teller: Teller, objective: Objective, budget: Budget) -> tuple[str, ...]:
    return (
        teller.named(teller.word(objective.section), teller.word(objective.rate)),
        percent(budget.spent),
        number(budget.failed),
        _roughly(budget.allowed),
        " / ".join(map(_roughly, budget.burn_rates.values())),
        _exhausted(teller, budget),
    )


def _exhausted(teller: Teller, budget: Budget) -> str:
    hours = budget.exhausted_in_hours
    if hours == 0:
        return teller.word("report.now")
    if hours is not None:
        return teller.word("report.in", time=teller.lasting(hours * 3600))
    return NO_DATA if None in (budget.spent, budget.burn_rates["1d"]) else teller.word("report.never")


def _roughly(value: float | None) -> str:
    """A quantity that is measured, not counted."""
    return number(round(value) if value is not None and value >= _FEW else value)


def _worst(teller: Teller, summary: Summary) -> Iterator[str]:
    """Sites and target objects, and the most frequent result codes but those that say that all is well."""
    runs = summary.workflow_actions
    for site in summary.doc_sync.by_site[:WORST]:
        yield teller.word("report.site", name=_name(teller, "site_id", site.site_id), **_figures(site))
    for target in runs.by_target_object[:WORST]:
        name = _name(teller, "target_object", target.target_object)
        yield teller.word("report.target_object", name=name, **_figures(target))
    told = ((-n, key) for key, n in runs.by_result_code.items() if key != OTHERS and tone(key) != "good")
    for n, key in nsmallest(WORST, told):
        share = percent(rate(-n, runs.total))
        yield teller.word("report.code", name=text(key), n=number(-n), total=number(runs.total), share=share)


def _name(teller: Teller, kind: str, name: str | None) -> str:
    return teller.word(f"report.no_{kind}") if name is None else f"{teller.word(kind)} {text(name)}"


def _figures(worst: object) -> dict[str, str]:
    """The figures of a name as they are written."""
    names = ("total", "failed_total", "failed_rate", "dead_letter_total", "dead_letter_rate")
    found = {name: getattr(worst, name) for name in names if hasattr(worst, name)}
    written = {True: percent, False: number}
    return {name: written[name.endswith("_rate")](value) for name, value in found.items()}
