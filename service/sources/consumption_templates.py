"""Template versions of consumption plans: counted by template key, in one scan."""

from datetime import datetime

from sqlalchemy import func, select

from service.overview.query import Query
from service.overview.sections import ConsumptionTemplates
from service.sources.database import Database, Statement
from service.sources.expressions import count, fenced, field, summed, text_or_number, truthy
from service.sources.tables import plans


async def read(database: Database, query: Query, _instant: datetime) -> ConsumptionTemplates:
    """The template section, of all time, for one key when it is given. Raises DatabaseError."""
    row = (await database.rows(_statement(query.filters.template_key)))[0]
    return ConsumptionTemplates(
        versions_total=row.versions,
        templates_total=row.templates,
        active_versions_total=row.active,
        invalid_active_templates=tuple(sorted(row.invalid or ())),
        templates_without_active=tuple(sorted(row.without_active or ())),
    )


def _statement(template_key: str | None) -> Statement:
    # Behind one fence the template is taken out of the document once, behind the next its key.
    documents = fenced(select(field(plans.c.properties, "template").label("template")))
    template = documents.c.template
    versions = fenced(
        select(
            text_or_number(template, "key").label("key"), truthy(template, "is_active").label("active")
        ).where(truthy(template, "is_template_version"))
    )
    wanted = versions.c.key != "" if template_key is None else versions.c.key == template_key
    templates = (
        select(
            versions.c.key,
            count().label("versions"),
            count().filter(versions.c.active).label("active"),
        )
        .where(wanted)
        .group_by(versions.c.key)
        .subquery("templates")
    )
    return select(
        count().label("templates"),
        summed(templates.c.versions).label("versions"),
        summed(templates.c.active).label("active"),
        func.array_agg(templates.c.key).filter(templates.c.active > 1).label("invalid"),
        func.array_agg(templates.c.key).filter(templates.c.active == 0).label("without_active"),
    ).select_from(templates)
