"""Telling marketing that a scheduled export is ready, or the alarm topic that it failed."""

from pynamodb.expressions.operand import Path

from chalicelib import clock, log
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.exports import delivery, jobs, newleads
from chalicelib.exports.files import describe_period
from chalicelib.exports.newleads import Claim
from chalicelib.settings import settings
from chalicelib.users.tables import ExportItem, store

_SUBJECTS = {
    "es": "Waizant Store: {what}, {rows} filas",
    "en": "Waizant Store: {what}, {rows} rows",
}
_TEXTS = {
    "es": """\
Archivo: {file_name}
Filas: {rows}
Registrados: {period}
Disponible hasta: {expires_at}

Descargar: {link}
""",
    "en": """\
File: {file_name}
Rows: {rows}
Registered: {period}
Available until: {expires_at}

Download: {link}
""",
}
_NOBODY = {
    "es": """\
No hay {what} en este periodo; no hay archivo que descargar.
Registrados: {period}
""",
    "en": """\
There are no {what} in this period; there is no file to download.
Registered: {period}
""",
}
_ALL = {"es": "todos los leads", "en": "all leads"}
_NEW = {"es": "leads nuevos", "en": "new leads"}
_EVER = {"es": "desde siempre", "en": "ever since"}


def announce(job: ExportItem) -> None:
    """Tell marketing of a scheduled job that succeeded, or the alarm topic of one that failed.

    Sent first and noted afterwards: should the worker die between the two, it is told twice
    rather than never. Raises `StoreUnavailableError`.
    """
    if job.announced_at is not None:
        return
    if job.status == "failed":
        _raise_alarm(job)
    elif job.status == "succeeded":
        _tell_marketing(job)
    else:
        return
    _note(job)


def _tell_marketing(job: ExportItem) -> None:
    claim = newleads.claim(job) if jobs.is_incremental(job) else Claim.OURS
    if claim is Claim.DELIVERED:
        return
    if claim is Claim.SUPERSEDED:
        log.event("export.superseded", level="WARNING", export_id=job.id)
        return
    subject, text = _words(job)
    facts = {"export_id": job.id, "file_name": job.file_name, "rows": str(int(job.rows))}
    delivery.publish(settings().marketing_topic_arn, subject, text, facts)
    if jobs.is_incremental(job):
        newleads.commit(job)
    log.event("export.announced", export_id=job.id, rows=int(job.rows))


def _raise_alarm(job: ExportItem) -> None:
    text = (
        f"The scheduled export {job.id} ({job.file_name or job.resource}) failed: {job.error}\n"
        "The next run delivers what this one did not; to have it sooner: "
        f"make letters ORDER=now STAGE={settings().stage}\n"
    )
    subject = "Store Users: a scheduled lead export failed"
    delivery.publish(settings().alarm_topic_arn, subject, text, {"export_id": job.id})


def _words(job: ExportItem) -> tuple[str, str]:
    what = _NEW if jobs.is_incremental(job) else _ALL
    facts = {
        "what": what[job.language],
        "rows": int(job.rows),
        "file_name": job.file_name,
        "period": describe_period(job, job.language) or _EVER[job.language],
        "expires_at": job.expires_at,
        "link": delivery.link(job.id, clock.parse_instant(job.expires_at)),
    }
    texts = _TEXTS if job.rows else _NOBODY
    return _SUBJECTS[job.language].format(**facts), texts[job.language].format(**facts)


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
