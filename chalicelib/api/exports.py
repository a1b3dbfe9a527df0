"""Exports: ask for one, watch it, find it again, open its file, delete it."""

from typing import Any

from chalicelib.api import clients, rows
from chalicelib.api.auth import Actor
from chalicelib.api.http import Answer, Call, serves
from chalicelib.errors import ExportGoneError, ExportNotReadyError
from chalicelib.exports import delivery, jobs, reasons
from chalicelib.exports.orders import Order, submit
from chalicelib.users import audit
from chalicelib.users.model import Author
from chalicelib.users.tables import ExportItem


@serves("create_export")
def create_export(call: Call) -> Answer:
    """The job, new or known by its key."""
    resource = call.body["resource"]
    call.actor.need(f"exports:{resource}")
    order = Order(
        resource=resource,
        format=call.body.get("format", "xlsx"),
        language=call.body.get("language", "es"),
        filters=call.body.get("filters", {}),
        by=call.actor.author,
        key=call.parameters["Idempotency-Key"].lower(),
        request_id=call.request_id,
    )
    job, replayed = submit(order)
    headers = {"Location": f"/v1/exports/{job.id}", "Retry-After": "1"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Answer(_job(job), 202, headers)


@serves("list_exports")
def list_exports(call: Call) -> Answer:
    """One page of the exports that the caller may see, newest first."""
    limit = call.parameters["limit"]
    resources = [name for name in jobs.KINDS if f"exports:{name}" in call.actor.permissions]
    page = jobs.page(resources, call.parameters.get("cursor"), limit)
    data = [_job(job) for job in jobs.from_items(page.items)]
    link = rows.link_header("/v1/exports", {"limit": limit}, page)
    return Answer(rows.page(data, limit, page), headers={"Link": link})


@serves("get_export")
def get_export(call: Call) -> Answer:
    """The job, with a fresh link to its file once there is one."""
    job = _visible(call.parameters["export_id"], call.actor)
    url = None
    if jobs.status(job) == "succeeded":
        url = delivery.presigned_url(job.object_key)
        _note_use(job, "export.link_issued", call.actor.author, call)
    return Answer(_job(job, url))


@serves("delete_export")
def delete_export(call: Call) -> Answer:
    """Cancel a run under way, remove file and links. Repeating it is no fault."""
    export_id = call.parameters["export_id"]
    job = jobs.find(export_id, even_deleted=True)
    call.actor.need(f"exports:{job.resource}")
    if not _is_own(job, call.actor):
        call.actor.need("exports:delete")
    jobs.delete(job, call.actor.author, call.request_id)
    return Answer("", 204)


@serves("open_export_file")
def open_export_file(call: Call) -> Answer:
    """A redirect to the file, for whoever holds our link."""
    export_id = call.parameters["export_id"]
    delivery.check_token(export_id, call.parameters["token"])
    job = jobs.find_file(export_id)
    if job is None or job.deleted_at is not None or jobs.status(job) in {"expired", "failed"}:
        message = "The file has expired, was deleted or could not be made; ask for a new export"
        raise ExportGoneError(message)
    if jobs.status(job) != "succeeded":
        message = "The file is not there yet; try again in a while"
        raise ExportNotReadyError(message)
    url = delivery.presigned_url(job.object_key)
    _note_use(job, "export.link_opened", Author.system("link"), call)
    return Answer("", 302, {"Location": url, "Content-Type": "text/plain"})


def _visible(export_id: str, actor: Actor) -> ExportItem:
    job = jobs.find(export_id)
    actor.need(f"exports:{job.resource}")
    return job


def _is_own(job: ExportItem, actor: Actor) -> bool:
    """Return True if the actor asked for the job, by the subject: names can be given again."""
    return bool(job.requested_by_id == actor.id)


def _note_use(job: ExportItem, action: str, by: Author, call: Call) -> None:
    facts = clients.describe(call.identity)
    audit.append(jobs.audit_entry(job, action, by, facts, call.request_id))


def _job(job: ExportItem, download_url: str | None = None) -> dict[str, Any]:
    status = jobs.status(job)
    return {
        "id": job.id,
        "resource": job.resource,
        "format": job.format,
        "language": job.language,
        "filters": job.filters,
        "period": _period(job),
        "origin": job.origin,
        "status": status,
        "progress": {"done": int(job.done), "total": _whole(job.total)},
        "requested_by": job.requested_by,
        "requested_by_id": job.requested_by_id,
        "requested_at": job.requested_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "rows": _whole(job.rows),
        "size_bytes": _whole(job.size_bytes),
        "sha256": job.sha256,
        "file_name": job.file_name,
        "download_url": download_url,
        "error": job.error or (reasons.ABANDONED[job.language] if status == "failed" else None),
    }


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _period(job: ExportItem) -> dict[str, str | None] | None:
    return {"from": job.period_from, "to": job.period_to} if job.period_to else None
