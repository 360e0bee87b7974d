"""Thousands of awards, inserted as rows, for tests of behaviour at scale."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from app.domain.awards import Award
from app.domain.people import Person, name_in_lists
from tests.support.app import App

GIVEN = ("Zoé", "Ilyès", "Anne-Gaëlle", "Noël", "Thị Hà", "Ola", "Bob", "Éléonore", "Camille", "Sacha")
FAMILY = (
    "Écrin",
    "Le Bœuf",
    "d’Arcy",
    "Nguyễn",
    "Wałęsa",
    "azur",
    "Zola",
    "Martin",
    "Moreau",
    "Lefèvre",
    "Ó",
)
A_BLOCK = 2_000


def add_awards(app: App, count: int) -> None:
    """Each to another person, rotating over three badges, one minute apart; every seventh revoked, every second claimed."""
    model = app.award("Modèle Zoé;modele@exemple.fr")
    award_id = model.lines[0].award_id
    badges = [(page.badge.id, page.version.id) for page in (app.presence, app.role, app.long_haul)]
    with app.owner.begin() as connection:
        row = (
            connection.execute(select(Award.__table__).where(Award.__table__.c.id == award_id))
            .mappings()
            .one()
        )  # type: ignore[attr-defined]
        for start in range(0, count, A_BLOCK):
            people: list[dict[str, Any]] = []
            awards: list[dict[str, Any]] = []
            for number in range(start, min(start + A_BLOCK, count)):
                given, family = GIVEN[number % 10], f"{FAMILY[number * 7 % 11]} {number % 997}"
                person_id, at = uuid.uuid4(), app.clock() - timedelta(minutes=number)
                people.append({
                    "id": person_id, "given_name": given, "family_name": family, "created_at": at,
                    "listed_as": name_in_lists(family, given),
                })  # fmt: skip
                badge_id, version_id = badges[number % 3]
                is_revoked = number % 7 == 0
                awards.append({
                    **row, "id": uuid.uuid4(), "person_id": person_id, "subject_id": uuid.uuid4(), "badge_id": badge_id,
                    "version_id": version_id, "awarded_at": at, "batch_id": None, "once_key": None,
                    "state": "revoked" if is_revoked else "issued", "revoked_at": at if is_revoked else None,
                    "claimed_at": at if number % 2 else None,
                })  # fmt: skip
            connection.execute(insert(Person), people)
            connection.execute(insert(Award), awards)
    if app.owner.dialect.name == "postgresql":
        with app.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
