"""Cache keys: readable, bounded, and never the same for two different things."""

from hypothesis import given
from hypothesis import strategies as st

from service.cache.keys import NO_TENANT, cache_key, pattern_of

VALUES = st.none() | st.text(st.characters(codec="utf-8"), max_size=200)


def test_a_key_can_be_read() -> None:
    key = cache_key(NO_TENANT, "doc_sync", window_days=7, site_id="SH 01")
    assert key == "parallel-ops:{-}:v1:doc_sync:window_days=7:site_id=SH%2001"


def test_what_is_not_given_is_left_out() -> None:
    assert (
        cache_key(NO_TENANT, "consumption_templates", template_key=None)
        == "parallel-ops:{-}:v1:consumption_templates"
    )


@given(VALUES, VALUES)
def test_different_values_have_different_keys(one: str | None, other: str | None) -> None:
    keys = {cache_key(NO_TENANT, "doc_sync", window_days=7, site=value) for value in (one, other)}
    assert len(keys) == len({one, other})


@given(VALUES)
def test_no_value_looks_like_the_cut_form_of_another(value: str | None) -> None:
    long = "雪" * 150
    cut = cache_key(NO_TENANT, "doc_sync", window_days=7, site=long).partition("site=")[2]
    assert cache_key(NO_TENANT, "doc_sync", window_days=7, site=cut) != cache_key(
        NO_TENANT, "doc_sync", window_days=7, site=long
    )
    assert len(cache_key(NO_TENANT, "doc_sync", window_days=90, site=value)) < 200


@given(VALUES)
def test_what_logs_say_of_a_key_is_the_same_for_all_values(value: str | None) -> None:
    key = cache_key(NO_TENANT, "doc_sync", window_days=90, site=value or "")
    assert (
        pattern_of(f"{key}:1773135000:lease")
        == "parallel-ops:{-}:v1:doc_sync:window_days=*:site=*:1773135000:lease"
    )
