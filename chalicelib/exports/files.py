"""The file of an export: its name, its format, its receipt, its fingerprint."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib import clock
from chalicelib.exports import columns, csvfile, delivery, jobs, workbook
from chalicelib.exports.columns import Tally
from chalicelib.exports.upload import Target, Upload
from chalicelib.settings import settings
from chalicelib.users.model import StoreUser
from chalicelib.users.tables import ExportItem

_LABELS = {
    "es": {
        "list": "Listado",
        "filters": "Filtros",
        "none": "ninguno",
        "period": "Registrados en el periodo",
        "by": "Solicitado por",
        "requested": "Solicitado el",
        "started": "Lectura desde",
        "ended": "Lectura hasta",
        "rows": "Filas",
        "cut": "Celdas recortadas (Excel admite 32.767 caracteres)",
        "text": "Fechas y números escritos como texto (Excel no los admite)",
        "zone": "Zona horaria de las fechas",
        "export": "Exportación",
    },
    "en": {
        "list": "List",
        "filters": "Filters",
        "none": "none",
        "period": "Registered in the period",
        "by": "Requested by",
        "requested": "Requested at",
        "started": "Reading from",
        "ended": "Reading to",
        "rows": "Rows",
        "cut": "Cells cut (Excel holds 32,767 characters)",
        "text": "Dates and numbers written as text (Excel has none such)",
        "zone": "Time zone of the dates",
        "export": "Export",
    },
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, whole: `sha256` is in hexadecimal digits."""

    tally: Tally
    size_bytes: int
    sha256: str


def write_file(
    job: ExportItem, chunks: Iterable[Sequence[StoreUser]], watch: Callable[[], None]
) -> Written:
    """Write the users to the bucket in the format and the language of the job.

    The file appears when all of it is there. `watch` is called now and then: what it raises ends
    the writing. Raises `StoreUnavailableError`.
    """
    started = clock.now()
    layout = columns.layout(jobs.KINDS[job.resource], job.language)
    rows = map(layout.rows, chunks)
    with Upload(_target(job), watch) as upload:
        if job.format == "csv":
            tally = csvfile.write(upload, layout, rows)
        else:
            tally = workbook.write(
                upload, layout, rows, lambda tally: _receipt(job, layout.title, tally, started)
            )
        upload.finish()
    return Written(tally, upload.size_bytes, upload.sha256)


def object_key(export_id: str, attempt: int) -> str:
    """Where an attempt puts its file: attempts must not write over each other."""
    return f"{delivery.object_prefix(export_id)}{attempt}"


def file_name(job: ExportItem) -> str:
    """What the file is called on the disk of whoever downloads it: ASCII, speaking, sortable."""
    asked = clock.parse_instant(job.requested_at).astimezone(settings().time_zone)
    scope = "-new" if jobs.is_incremental(job) else ""
    return f"store-users-{job.resource}{scope}-{asked:%Y-%m-%d-%H%M%S}.{job.format}"


def describe_period(job: ExportItem, language: str) -> str:
    """The period of registration that a job of new leads covers, for a person; else ""."""
    if job.period_to is None:
        return ""
    until = _wall_clock(job.period_to)
    if job.period_from is None:
        return {"es": f"hasta {until}", "en": f"until {until}"}[language]
    return f"{_wall_clock(job.period_from)} → {until}"


def _target(job: ExportItem) -> Target:
    mime_type = csvfile.MIME_TYPE if job.format == "csv" else workbook.MIME_TYPE
    return Target(object_key(job.id, int(job.attempt)), file_name(job), mime_type)


def _receipt(
    job: ExportItem, title: str, tally: Tally, started: datetime
) -> Sequence[tuple[str, str]]:
    labels = _LABELS[job.language]
    filters = "; ".join(f"{name}: {_plain(value)}" for name, value in sorted(job.filters.items()))
    period = describe_period(job, job.language)
    return [
        (labels["list"], title),
        (labels["filters"], filters or labels["none"]),
        *([(labels["period"], period)] if period else []),
        (labels["by"], job.requested_by),
        (labels["requested"], job.requested_at),
        (labels["started"], clock.instant(started)),
        (labels["ended"], clock.instant(clock.now())),
        (labels["rows"], str(tally.rows)),
        (labels["cut"], str(tally.cut_cells)),
        (labels["text"], str(tally.kept_as_text)),
        (labels["zone"], settings().time_zone.key),
        (labels["export"], job.id),
    ]


def _plain(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _wall_clock(instant: str) -> str:
    return f"{clock.parse_instant(instant).astimezone(settings().time_zone):%Y-%m-%d %H:%M}"
