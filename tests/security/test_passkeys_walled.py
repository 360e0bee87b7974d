"""Lost keys are taken away behind PostgreSQL's walls too, and every campus of that person reads of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.history import HistoryEntry
from app.domain.people import Role
from tests.support.databases import temporary_walled
from tests.support.forms import forms_of
from tests.support.house import COMMAND, build_house
from tests.web.test_account_pages import answered, is_in, keeper

pytestmark = pytest.mark.postgres


def test_keys_of_somebody_of_two_campuses_are_taken_away_from_one_of_them(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        house = build_house(url, tmp_path)
        with house.unit_of_work() as services:
            services.team.memberships.give(house.other_campus, house.trainer, Role.REVIEWER, by=COMMAND)
        trainer, key = keeper(house, house.trainer)
        admin, path = house.client(house.admin), f"/gestion/itip/equipe/{house.trainer.id}"
        shown = admin.get(path)
        (form,) = [form for form in forms_of(shown) if form.action == f"{path}/cles/retirer"]
        assert form.press(admin, shown).status_code == 303
        assert not is_in(trainer)
        late = house.client()
        assert answered(late, late.get("/connexion"), "/connexion/cle", key).status_code == 401
        with Transaction(house.owner) as everything:
            found = everything.exec(select(HistoryEntry).where(HistoryEntry.deed == "reset")).all()
            assert {each.campus_id for each in found} == {house.campus.id, house.other_campus.id}
        house.close()
