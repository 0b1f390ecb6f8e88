"""Template versions of consumption plans: counted by template key, for all keys in one scan."""

from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Subquery, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from service.overview.sections import ConsumptionTemplates
from service.sources.database import Bound, Records, Statement
from service.sources.expressions import count, fenced, field, summed, text_or_number, truthy
from service.sources.tables import plans

# Keys whose versions are told one by one: of more, the most frequent.
MAX_KEYS = 1_000


class Templates(Struct, frozen=True):
    """All versions together, and (key, versions, active versions) of keys, the most frequent first."""

    together: ConsumptionTemplates
    keys: tuple[tuple[str, int, int], ...]

    def of(self, template_key: str) -> ConsumptionTemplates | None:
        """The section for one key; None where the key is not told from others."""
        for key, versions, active in self.keys:
            if key == template_key:
                return _of_one(key, versions, active)
        return ConsumptionTemplates(0, 0, 0, (), ()) if len(self.keys) < MAX_KEYS else None


def statement(template_key: str | None = None) -> Bound:
    """One row, for `templates`; kept to one key when it is given."""
    values = {} if template_key is None else {"template_key": template_key}
    return Bound(_statement(is_filtered=template_key is not None), values)


@cache
def _statement(*, is_filtered: bool) -> Statement:
    # Behind one fence the template is taken out of the document once, behind the next its key.
    documents = fenced(select(field(plans.c.properties, "template").label("template")))
    template = documents.c.template
    versions = fenced(
        select(
            text_or_number(template, "key").label("key"), truthy(template, "is_active").label("active")
        ).where(truthy(template, "is_template_version"))
    )
    wanted = (
        versions.c.key == bindparam("template_key", type_=Text()) if is_filtered else versions.c.key != ""
    )
    keys = (
        select(
            versions.c.key,
            count().label("versions"),
            count().filter(versions.c.active).label("active"),
        )
        .where(wanted)
        .group_by(versions.c.key)
        .cte("keys")
    )
    frequent = select(keys).order_by(keys.c.versions.desc(), keys.c.key).limit(MAX_KEYS).subquery("frequent")
    listed = [_listed(frequent, name).label(f"{name}_listed") for name in ("key", "versions", "active")]
    return select(
        count().label("templates"),
        summed(keys.c.versions).label("versions"),
        summed(keys.c.active).label("active"),
        func.array_agg(keys.c.key).filter(keys.c.active > 1).label("invalid"),
        func.array_agg(keys.c.key).filter(keys.c.active == 0).label("without_active"),
        *listed,
    ).select_from(keys)


def templates(rows: Records) -> Templates:
    """What the row of the statement says."""
    (row,) = rows
    together = ConsumptionTemplates(
        versions_total=row.versions,
        templates_total=row.templates,
        active_versions_total=row.active,
        invalid_active_templates=tuple(sorted(row.invalid or ())),
        templates_without_active=tuple(sorted(row.without_active or ())),
    )
    columns = (row.key_listed or (), row.versions_listed or (), row.active_listed or ())
    return Templates(together, tuple(zip(*columns, strict=True)))


def _listed(frequent: Subquery, name: str) -> ColumnElement[Any]:
    """A column of the most frequent keys as an array, in the same order as the others."""
    order = frequent.c.versions.desc(), frequent.c.key
    return select(func.array_agg(aggregate_order_by(frequent.c[name], *order))).scalar_subquery()


def _of_one(key: str, versions: int, active: int) -> ConsumptionTemplates:
    return ConsumptionTemplates(
        versions_total=versions,
        templates_total=1,
        active_versions_total=active,
        invalid_active_templates=(key,) if active > 1 else (),
        templates_without_active=(key,) if active == 0 else (),
    )
