"""Helpers for tests of restored backups: people, awards, and public pages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from app.domain.awards import Award, Visibility
from app.services.awards.bulk_revocation import WithdrawalRequest
from sceau_credentials.status_list import read_list
from sceau_credentials.values import parse_json_object
from tests.support.app import COMMAND, App

ROOF, ADA = "Rémi Roux; remi@exemple.fr", "Ada Martin; ada@exemple.fr"
REASON = "Disque perdu, sauvegarde de la veille."


def given(app: App, person: str, badge=None) -> uuid.UUID:
    def give() -> uuid.UUID:
        award_id = app.award(person, badge=badge, evidence="A mené l’atelier.").lines[0].award_id
        assert award_id is not None
        with app.unit_of_work() as services:
            services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        return award_id

    return app.once(("given", person, badge and badge.badge.id), give)


def withdraw(app: App, award_id: uuid.UUID, reason: str = "Donné par erreur.") -> None:
    with app.unit_of_work() as services:
        batch = services.withdrawals.enqueue(app.campus, WithdrawalRequest(reason, (award_id,)), by=COMMAND)
    with app.unit_of_work() as services:
        services.withdrawals.process_chunk(batch.id)


def place_of(app: App, award_id: uuid.UUID) -> tuple[uuid.UUID, int]:
    with app.unit_of_work(reading=True) as services:
        (slot,) = services.stores.statuses.slots_of([award_id])
    return slot.list_id, slot.position


def bit(client: TestClient, list_id: uuid.UUID, position: int, accept: str = "application/vc") -> bool:
    answer = client.get(f"/statuts/{list_id}", headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return read_list(parse_json_object(answer.content)).status_list.get(position)


PUBLIC = ("/attributions/{}", "/attributions/{}.json", "/attributions/{}.jwt", "/attributions/{}.png",
          "/attributions/{}.zip", "/ob2/attributions/{}", "/attributions/{}/integrer")  # fmt: skip


def choose(app: App, do: Callable[[Any], object]) -> None:
    with app.unit_of_work() as services:
        do(services)


def award_row(app: App, award_id: uuid.UUID) -> Award:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).award
