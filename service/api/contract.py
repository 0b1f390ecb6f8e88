"""The answers as clients see them: what the overview says, and who asked."""

from service.overview.alerts import Alerts
from service.overview.failures import DocSyncFailures, WorkflowFailures
from service.overview.summary import Summary
from service.overview.trends import Trends


class SummaryAnswer(Summary, frozen=True):
    """A summary for one caller; operator_id is null when authentication is off."""

    operator_id: int | None


class TrendsAnswer(Trends, frozen=True):
    """Trends for one caller; operator_id is null when authentication is off."""

    operator_id: int | None


class AlertsAnswer(Alerts, frozen=True):
    """Alerts for one caller; operator_id is null when authentication is off."""

    operator_id: int | None


class DocSyncFailuresAnswer(DocSyncFailures, frozen=True):
    """A page of failed jobs for one caller; operator_id is null when authentication is off."""

    operator_id: int | None


class WorkflowFailuresAnswer(WorkflowFailures, frozen=True):
    """A page of failed runs for one caller; operator_id is null when authentication is off."""

    operator_id: int | None


class SummaryExport(Summary, frozen=True):
    """A summary as a JSON file; the caller is named in a header instead."""
