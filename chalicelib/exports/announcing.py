"""Telling marketing that a scheduled export is ready, once a job."""

from pynamodb.expressions.operand import Path

from chalicelib import clock, log
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.exports import delivery, jobs, schedule
from chalicelib.exports.files import describe_period
from chalicelib.settings import settings
from chalicelib.users.tables import ExportItem, store

_TEXTS = {
    "es": (
        "Waizant Store: {what}, {rows} filas",
        """\
Archivo: {file_name}
Filas: {rows}
Registrados: {period}
Disponible hasta: {expires_at}

Descargar: {link}
""",
    ),
    "en": (
        "Waizant Store: {what}, {rows} rows",
        """\
File: {file_name}
Rows: {rows}
Registered: {period}
Available until: {expires_at}

Download: {link}
""",
    ),
}
_ALL = {"es": "todos los leads", "en": "all leads"}
_NEW = {"es": "leads nuevos", "en": "new leads"}
_EVER = {"es": "desde siempre", "en": "ever since"}


def announce(job: ExportItem) -> None:
    """Publish the message for a scheduled job that succeeded, unless that was done before.

    Sent first and noted afterwards: should the worker die between the two, marketing is told
    twice rather than never. Raises `StoreUnavailableError`.
    """
    if job.status != "succeeded" or job.announced_at is not None:
        return
    subject, text = _words(job)
    facts = {"export_id": job.id, "file_name": job.file_name, "rows": str(int(job.rows))}
    delivery.publish(subject, text, facts)
    schedule.note_success(job)
    _note(job)
    log.event("export.announced", export_id=job.id, rows=int(job.rows))


def _words(job: ExportItem) -> tuple[str, str]:
    subject, text = _TEXTS[job.language]
    what = _NEW if jobs.is_incremental(job) else _ALL
    facts = {
        "what": what[job.language],
        "rows": int(job.rows),
        "file_name": job.file_name,
        "period": describe_period(job, job.language) or _EVER[job.language],
        "expires_at": job.expires_at,
        "link": delivery.link(job.id, clock.parse_instant(job.expires_at)),
    }
    return subject.format(**facts), text.format(**facts)


def _note(job: ExportItem) -> None:
    at = clock.instant(clock.now())
    try:
        store().update_item(
            settings().exports_table,
            job.id,
            actions=[Path("announced_at").set(at)],
            condition=Path("announced_at").does_not_exist(),
        )
    except ConditionFailedError:
        log.event("export.announced_twice", level="WARNING", export_id=job.id)
