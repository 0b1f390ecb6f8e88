"""Links to the PLM's own pages of what failed, made from templates that the configuration gives."""

from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote, urlsplit

from msgspec import Struct

from service.overview.failures import FailedJob, KeptRun

OBJECT_FIELDS = ("object_id", "target_object", "rule_id", "run_id")
JOB_FIELDS = ("job_id", "dedupe_key")


class Links(Struct, frozen=True):
    """Templates of addresses, {object_id} and so on to be filled in; without one there is no link."""

    object: str | None = None
    job: str | None = None

    def to_object(self, run: KeptRun) -> str | None:
        """The PLM's page of the object that a run was for."""
        values = (run.object_id, run.target_object, run.rule_id, run.id)
        return _filled(self.object, dict(zip(OBJECT_FIELDS, values, strict=True)))

    def to_job(self, job: FailedJob) -> str | None:
        """The PLM's page of a job."""
        return _filled(self.job, dict(zip(JOB_FIELDS, (job.id, job.dedupe_key), strict=True)))


def check_template(template: str, fields: tuple[str, ...]) -> None:
    """Raises ValueError, whose message says what is wrong with a template."""
    known = " or ".join(f"{{{field}}}" for field in fields)
    try:
        parts = list(Formatter().parse(template))
        address = urlsplit(template)
    except ValueError:
        raise ValueError(f"is no address with {known} in it; a brace may be left open") from None
    if address.scheme not in ("http", "https") or not address.hostname or not _is_one_word(template):
        raise ValueError("must begin with http:// or https:// and a host")
    found = [(name, spec, conversion) for _, name, spec, conversion in parts if name is not None]
    if not found or any(each not in [(field, "", None) for field in fields] for each in found):
        raise ValueError(f"must hold {known}, and nothing else in braces")
    if "{" in address.netloc:
        raise ValueError("must have what is in braces after the host")


def _is_one_word(text: str) -> bool:
    return text.isprintable() and " " not in text


def _filled(template: str | None, values: Mapping[str, str | None]) -> str | None:
    """The address; None where a value that it needs is missing, or is a path of its own (.., for one)."""
    if template is None:
        return None
    escaped = {name: quote(value, safe="") for name, value in values.items() if value and value.strip(".")}
    try:
        return template.format_map(escaped)
    except KeyError:
        return None
