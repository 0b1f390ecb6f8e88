"""What the board says of a filter's value that the data does not hold."""

from msgspec.structs import replace

from service.dashboard.scope import Kept, UnknownName, scopes, unknown_names
from service.overview.query import FILTERS, Filters
from service.overview.summary import Summary
from tests.support.summaries import summary

NOTHING = summary()
NAMES = ("SH-01", "SH-02", "MUC-01")


def unknown(filters: Filters, found: Summary = NOTHING, **names: tuple[str, ...]) -> dict[str, UnknownName]:
    return unknown_names(filters, found, dict.fromkeys(FILTERS, ()) | names)


def test_a_name_that_no_row_has_comes_with_those_that_look_like_it() -> None:
    missing = UnknownName("site_id", "sh-1", ("SH-01", "SH-02"), 3, is_certain=True)
    assert unknown(Filters(site_id="sh-1"), site_id=NAMES) == {"doc_sync": missing}
    assert unknown(Filters(site_id="nothing like it"), site_id=NAMES)["doc_sync"].nearest == ()


def test_a_name_that_is_known_or_has_rows_is_not_missing() -> None:
    assert unknown(Filters(site_id="SH-01"), site_id=NAMES) == {}
    assert unknown(Filters(site_id="rare"), summary({"completed": 1}), site_id=NAMES) == {}
    rows = replace(NOTHING.consumption_templates, versions_total=1)
    some = replace(NOTHING, consumption_templates=rows)
    assert unknown(Filters(template_key="rare"), some, template_key=NAMES) == {}


def test_nothing_is_missing_as_long_as_no_names_are_known() -> None:
    assert unknown(Filters("x", "y", "z")) == {}


def test_among_the_most_frequent_only_a_rare_name_may_be_missing_all_the_same() -> None:
    names = tuple(f"P-{number:03}" for number in range(200))
    assert (
        unknown(Filters(target_object="P-1000"), target_object=names)["workflow_actions"].is_certain is False
    )


def test_each_section_has_the_filter_that_concerns_it_and_all_of_any_other() -> None:
    both = scopes(Filters(site_id="S1", template_key="T1"))
    assert both["doc_sync"] == (Kept("site_id", "S1"), Kept("template_key", None))
    assert both["consumption_templates"] == (Kept("site_id", None), Kept("template_key", "T1"))
    assert both["breakages"] == both["overlay_cache"] == (Kept("site_id", None), Kept("template_key", None))
    assert set(scopes(Filters()).values()) == {()}
