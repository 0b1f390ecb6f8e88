"""How much of what rows say is told: maps and errors have a largest size, and say what is left out."""

from service.overview.bounds import MAX_LABEL_LENGTH, MAX_NUMBER_DIGITS, bounded, shortened


def numbered(count: int, times: int = 1, first: int = 0) -> dict[str, int]:
    return {f"s{number:04}": times for number in range(first, first + count)}


def test_a_map_is_sorted_by_code_point() -> None:
    assert list(bounded({"b": 1, "é": 2, "a": 3, "B": 4}).items()) == [("B", 4), ("a", 3), ("b", 1), ("é", 2)]
    assert bounded({}) == {}


def test_five_hundred_keys_are_told_and_of_one_more_the_least_frequent_are_summed() -> None:
    assert bounded(numbered(500)) == numbered(500)
    found = bounded(numbered(499, times=3, first=2) | numbered(2, times=1))
    assert found == numbered(499, times=3, first=2) | {"(others)": 2}
    assert next(iter(found)) == "(others)"


def test_of_equally_frequent_keys_the_last_by_name_are_summed() -> None:
    assert bounded(numbered(600)) == numbered(499) | {"(others)": 101}


def test_a_rare_key_early_by_name_is_summed_and_a_frequent_one_late_by_name_is_told() -> None:
    found = bounded(numbered(600, times=2) | {"a": 1, "z": 7})
    assert found == numbered(498, times=2) | {"z": 7, "(others)": 2 * 102 + 1}


def test_what_was_summed_before_is_added_however_frequent_it_is() -> None:
    found = bounded(numbered(500) | {"(others)": 1000})
    assert found == numbered(499) | {"(others)": 1001}


def test_an_error_is_told_whole_up_to_eight_thousand_characters() -> None:
    assert shortened("x" * 8000, 8000) == "x" * 8000
    assert shortened("short", 5) == "short"
    assert shortened("", 0) == ""
    assert shortened(None, None) is None
    assert shortened("whole", None) == "whole"


def test_a_longer_one_ends_in_how_long_it_is() -> None:
    assert shortened("x" * 8000, 8001) == "x" * 8000 + "… (8001 characters)"
    assert shortened("x" * 9000, 12_345) == "x" * 8000 + "… (12345 characters)"


def test_labels_and_numbers_are_as_long_as_the_contract_says() -> None:
    assert (MAX_LABEL_LENGTH, MAX_NUMBER_DIGITS) == (200, 100)
