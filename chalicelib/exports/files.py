"""The file of an export: its name, its format, its receipt, its fingerprint."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chalicelib import clock
from chalicelib.exports import csvfile, jobs, workbook
from chalicelib.exports.columns import TITLES, Tally
from chalicelib.settings import settings
from chalicelib.users.model import Kind, StoreUser
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
        "zone": "Time zone of the dates",
        "export": "Export",
    },
}


@dataclass(frozen=True, slots=True)
class File:
    """A file that was written; `sha256` is in hexadecimal digits."""

    name: str
    mime_type: str
    size_bytes: int
    sha256: str
    tally: Tally


def write_file(
    path: Path, job: ExportItem, kind: Kind, users: Iterable[StoreUser], started: datetime
) -> File:
    """Write the users to `path` in the format and the language of the job."""
    if job.format == "csv":
        tally = csvfile.write(path, kind, job.language, users)
        mime_type = csvfile.MIME_TYPE
    else:
        tally = workbook.write(
            path, kind, job.language, users, lambda tally: _receipt(job, kind, tally, started)
        )
        mime_type = workbook.MIME_TYPE
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return File(_name(job), mime_type, path.stat().st_size, sha256, tally)


def describe_period(job: ExportItem, language: str) -> str:
    """The period of registration that a job of new leads covers, for a person; else ""."""
    if job.period_to is None:
        return ""
    until = _wall_clock(job.period_to)
    if job.period_from is None:
        return {"es": f"hasta {until}", "en": f"until {until}"}[language]
    return f"{_wall_clock(job.period_from)} → {until}"


def _name(job: ExportItem) -> str:
    """What the file is called on the disk of whoever downloads it: ASCII, speaking, sortable."""
    asked = clock.parse_instant(job.requested_at).astimezone(settings().time_zone)
    scope = "-new" if jobs.is_incremental(job) else ""
    return f"store-users-{job.resource}{scope}-{asked:%Y-%m-%d-%H%M%S}.{job.format}"


def _receipt(
    job: ExportItem, kind: Kind, tally: Tally, started: datetime
) -> Sequence[tuple[str, str]]:
    labels = _LABELS[job.language]
    filters = "; ".join(f"{name}: {_plain(value)}" for name, value in sorted(job.filters.items()))
    period = describe_period(job, job.language)
    return [
        (labels["list"], TITLES[kind]),
        (labels["filters"], filters or labels["none"]),
        *([(labels["period"], period)] if period else []),
        (labels["by"], job.requested_by),
        (labels["requested"], job.requested_at),
        (labels["started"], clock.instant(started)),
        (labels["ended"], clock.instant(clock.now())),
        (labels["rows"], str(tally.rows)),
        (labels["cut"], str(tally.cut_cells)),
        (labels["zone"], settings().time_zone.key),
        (labels["export"], job.id),
    ]


def _plain(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _wall_clock(instant: str) -> str:
    return f"{clock.parse_instant(instant).astimezone(settings().time_zone):%Y-%m-%d %H:%M}"
