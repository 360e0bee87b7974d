"""The participants of an activity as a table, and its attendance sheet as a PDF."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request, Response

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.core import plain_text
from app.http.pages.registers import Cell, table_file
from app.http.pages.typography import translated
from app.http.pages.words import PARTS, days
from app.http.request_scope import WITH_ORGANISERS, ReadingServices
from app.http.workplaces import at_work, staff
from app.language import N_
from app.language import gettext as _
from app.language.dates import time_of_day
from app.web.campus.audit_log import export_noted

_LONGEST_NAME = 60
router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}", dependencies=[WITH_ORGANISERS])


@router.get("/participants.csv", dependencies=[staff(Permission.WORK)])
@router.get("/participants.xlsx", dependencies=[staff(Permission.WORK)])
def participants_table(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """Its first columns are those of a list, which can be read again."""
    work = at_work(request)
    activity = services.activities.get(work.campus, activity_id)
    export_noted(request, "participants")
    heading = (
        "Nom", "Prénom", "Courriel", "Heures", "Rôle", "Contribution", _("Présence"), _("Badges de cette activité"),
    )  # fmt: skip

    def rows(services: Services) -> Iterator[Sequence[Cell]]:
        for row in services.attendance_sheets.rows(work.campus, activity_id):
            part = row.participation
            yield (
                row.person.family_name,
                row.person.given_name,
                row.address,
                part.hours,
                translated(PARTS[part.part]),
                part.contribution,
                translated(N_("Présent")) if part.is_present else translated(N_("Absent")),
                ", ".join(row.badges),
            )

    return table_file(request, f"participants-{_file_name(activity.title)}", heading, rows)


@router.get("/emargement.pdf", dependencies=[staff(Permission.WORK)])
def attendance_sheet(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    sheet = services.attendance_sheets.prepare(work.campus, activity_id, days=days, hour=time_of_day)
    return Response(
        services.attendance_sheets.printed(sheet),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="emargement-{_file_name(sheet.activity.title)}.pdf"',
            "Cache-Control": "no-store",
        },
    )


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plain_text(title)).strip("-")[:_LONGEST_NAME] or "activite"
