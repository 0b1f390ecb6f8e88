"""What the panel of each section shows."""

from msgspec import Struct

from service.dashboard.places import Columns


class Layout(Struct, frozen=True, kw_only=True):
    """What the panel of a section shows, all by the names that the summary and the catalogue have for it.

    `main` and `facts` are figures, `maps` what is shown as distributions, `keys` lists of keys. `part` is
    what the trend's rate is a part of. `rows` is where on the page the rows behind the rate are listed,
    `places` where the section has the worst of them.
    """

    section: str
    main: str
    facts: tuple[str, ...]
    maps: tuple[str, ...]
    part: str | None = None
    rows: str | None = None
    places: Columns | None = None
    keys: tuple[str, ...] = ()
    note: str | None = None


ODD_TEMPLATES = ("invalid_active_templates", "templates_without_active")
LAYOUTS = (
    Layout(
        section="doc_sync",
        main="dead_letter_rate",
        facts=("total", "success_rate", "dead_letter_total", "avg_attempt_count"),
        maps=("by_status",),
        part="dead_letter_total",
        rows="failed-jobs",
        places=Columns(
            "by_site", "site_id", ("total", "failed_total", "dead_letter_total"), "dead_letter_rate"
        ),
    ),
    Layout(
        section="workflow_actions",
        main="failed_rate",
        facts=("total", "warning_rate"),
        maps=("by_result_code", "by_status"),
        part="failed_total",
        rows="failed-runs",
        places=Columns("by_target_object", "target_object", ("total", "failed_total"), "failed_rate"),
    ),
    Layout(
        section="breakages",
        main="open_rate",
        facts=("total", "open_total", "repeated_total", "repeated_rate"),
        maps=("by_severity", "by_status", "by_responsibility"),
        part="open_total",
        rows="open-incidents",
    ),
    Layout(
        section="consumption_templates",
        main="templates_total",
        facts=("versions_total", "active_versions_total"),
        maps=("by_activity",),
        keys=ODD_TEMPLATES,
        note="all_time",
    ),
    Layout(
        section="overlay_cache",
        main="hit_rate",
        facts=("requests", "hits", "misses", "evictions", "entries", "max_entries", "ttl_seconds"),
        maps=("by_lookup",),
        note="one_figure",
    ),
)
SECTIONS = tuple(layout.section for layout in LAYOUTS)
# Where on the page to look further.
ANCHORS = {layout.section: layout.rows or layout.section for layout in LAYOUTS}
