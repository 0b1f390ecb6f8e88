"""Links to the PLM: what is filled in is escaped, and what cannot be filled in is no link."""

import pytest

from service.dashboard.links import Links
from service.overview.failures import FailedJob, KeptRun

LINKS = Links("https://plm.example/{target_object}/{object_id}", "https://plm.example/docs/{dedupe_key}")


def job(dedupe_key: str | None) -> FailedJob:
    return FailedJob("J1", "document_sync_push", "failed", 3, 3, None, dedupe_key, "S1", None, "push")


def run(object_id: str) -> KeptRun:
    states = (None, None, "after", "failed", 1, "null", None, None)
    return KeptRun("R1", "rule", object_id, "Part", *states)


@pytest.mark.parametrize(
    ("object_id", "address"),
    [
        ("O-1", "https://plm.example/Part/O-1"),
        ("a/b?c#d e&f%\"'<>", "https://plm.example/Part/a%2Fb%3Fc%23d%20e%26f%25%22%27%3C%3E"),
        ("零件", "https://plm.example/Part/%E9%9B%B6%E4%BB%B6"),
        ("{rule_id}", "https://plm.example/Part/%7Brule_id%7D"),
        ("..", None),  # a browser would take it for the page above
        ("", None),
    ],
)
def test_an_id_is_one_escaped_part_of_an_address(object_id: str, address: str | None) -> None:
    assert LINKS.to_object(run(object_id)) == address


def test_without_a_template_or_a_value_there_is_no_link() -> None:
    assert LINKS.to_job(job("push:D-1")) == "https://plm.example/docs/push%3AD-1"
    assert LINKS.to_job(job(None)) is None
    assert (Links().to_object(run("O-1")), Links().to_job(job("D-1"))) == (None, None)
