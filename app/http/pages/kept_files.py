"""Files chosen before a proof was asked for: they come back into the form that brings their token."""

from __future__ import annotations

from io import BytesIO

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile

from app.domain.accounts.set_aside import WaitingFile
from app.http.request_scope import process_of, signed_in

TOKEN_FIELD = "attente"  # noqa: S105 - the name of a field


async def with_kept_files(request: Request, form: FormData) -> FormData:
    token = form.get(TOKEN_FIELD)
    if not isinstance(token, str) or not token or request.url.path.startswith("/confirmer"):
        return form
    files = await run_in_threadpool(_take, request, token)
    return FormData([*form.multi_items(), *((each.field, _upload(each)) for each in files)])


def _take(request: Request, token: str) -> list[WaitingFile]:
    with process_of(request).visit() as services:
        kept = services.set_aside.take(token, signed_in(request, services).person.id)
    return list(kept.files) if kept else []


def _upload(kept: WaitingFile) -> UploadFile:
    headers = Headers({"content-type": kept.media_type})
    return UploadFile(BytesIO(kept.content), size=len(kept.content), filename=kept.name, headers=headers)
