"""What a trainer does on the pages of awarding, step by step."""

from __future__ import annotations

import csv
import io
import re
from uuid import UUID

from fastapi.testclient import TestClient
from httpx import Response

from app.domain.awards import LineOutcome
from app.services.badges import BadgePage
from tests.support.app import App, send
from tests.support.forms import form_with

GIVE = ("geste", "attribuer")
CHECK = ("geste", "apercu")
# As French Excel saves it: CP1252, semicolons, quotes, an empty line, two people of one name.
TABLE = (
    "Nom;Prénom;Courriel;Heures;Contribution\r\n"
    'LE BŒUF;Anne-Gaëlle;ag.leboeuf@exemple.fr;2,5;"Accueil ; stand"\r\n'
    "MARTIN;Camille;camille.martin@exemple.fr;;\r\n"
    "MARTIN;Camille;c.martin@exemple.fr;;\r\n"
    ";;;;\r\n"
    "JAOUEN-PELTIER;Nolwenn;nolwenn.jaouen@exemple,fr;2;Stand\r\n"
    "HADDAD;Yasmine;y.haddad@exemple.fr;3;\r\n"
    "IZARN;Théodore;;douze;\r\n"
    "HADDAD;Yasmine;y.haddad@exemple.fr;3;\r\n"
).encode("cp1252")


def preview(
    client: TestClient, award: str, given: BadgePage, *, table: bytes = b"", **typed: str
) -> Response:
    file = {"fichier": ("liste.csv", table, "text/csv")} if table else {}
    return send(client, award, {"badge": str(given.badge.id), "qui": "liste", **typed}, files=file)


def outcomes(app: App, done: Response) -> list[tuple[str, LineOutcome]]:
    assert done.status_code == 303, done.text
    with app.unit_of_work(reading=True) as services:
        batch_id = done.headers["location"].rpartition("/")[2]
        result = services.award_batches.result(app.campus, UUID(batch_id))
        return [(f"{line.given_name} {line.family_name}", line.outcome) for line in result.lines]


def awards_given(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        return len(services.awards.list_in(app.campus, limit=1000))


def counts(page: Response) -> dict[str, int]:
    found = re.findall(r"<div><dt>([^<]+)</dt><dd>(\d+)</dd></div>", page.text)
    return {words: int(number) for words, number in found}


def give(app: App, trainer: TestClient, award: str, table: bytes = TABLE) -> str:
    page = preview(trainer, award, app.presence, table=table)
    return form_with(page, "cle").press(trainer, page, GIVE).headers["location"]


def rows_of(answer: Response) -> list[list[str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
