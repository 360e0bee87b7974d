"""All changes to an award by its holder, its campus or key rotation."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from app.container import Services
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.campus import KeyPurpose, KeyState
from tests.support.app import COMMAND, App
from tests.support.badges.endorsed import endorsed
from tests.support.content.networks import label, network_of


class Changes:
    """One award of a campus with a label, and a method for each change to it."""

    def __init__(self, app: App) -> None:
        self.app, self.campus = app, app.campus
        found = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
        assert found
        self.award_id = found
        with app.unit_of_work() as services:
            services.awards.set_visibility(found, Visibility.OPEN, by=COMMAND)
            network = network_of(services, app.campus)
            self.label_id = label(services, network, app.campus, date(2026, 1, 1), date(2027, 1, 1)).id
        self.endorsements: list[uuid.UUID] = []

    def open(self, services: Services) -> None:
        services.awards.set_visibility(self.award_id, Visibility.OPEN, by=COMMAND)

    def close(self, services: Services) -> None:
        services.awards.set_visibility(self.award_id, Visibility.CLOSED, by=COMMAND)

    def disclose(self, services: Services, shown: DisclosedContent) -> None:
        row = services.evidence.find(self.award_id)
        assert row
        for number in row.entries:
            services.stores.award_evidence.choose(self.award_id, number, shown, at=self.app.clock.now)

    def disclose_all(self, services: Services) -> None:
        self.disclose(services, DisclosedContent.ALL)

    def disclose_least(self, services: Services) -> None:
        self.disclose(services, DisclosedContent.EXISTENCE)

    def endorse(self, services: Services) -> None:
        record = services.awards.record(self.award_id)
        self.endorsements.append(endorsed(services, self.campus, award=record).id)

    def endorse_badge(self, services: Services) -> None:
        endorsed(services, self.campus, self.app.presence.badge.id)

    def hide_endorsement(self, services: Services) -> None:
        for each in self.endorsements:
            services.endorsements_taken_back.hide(self.award_id, each, hidden=True, by=COMMAND)

    def retire_key(self, services: Services) -> None:
        self._retire(services, stolen=False)

    def lose_key(self, services: Services) -> None:
        self._retire(services, stolen=True)

    def _retire(self, services: Services, *, stolen: bool) -> None:
        keys = services.campuses.keys_of(self.campus)
        key = next(
            each for each in keys if (each.purpose, each.state) == (KeyPurpose.CREDENTIAL, KeyState.ACTIVE)
        )
        since = self.app.clock.now - timedelta(minutes=1) if stolen else None
        services.campus_keys.retire(
            self.campus, key.id, reason="Sauvegarde perdue.", stolen_since=since, by=COMMAND
        )

    def end_label(self, services: Services) -> None:
        services.register.withdraw_label(self.label_id, by=COMMAND)

    def revoke(self, services: Services) -> None:
        services.awards.revoke(self.campus, self.award_id, "Attribué par erreur.", by=COMMAND)

    def suspend(self, services: Services) -> None:
        until = self.app.clock.now + timedelta(days=3)
        services.suspensions.suspend(self.campus, self.award_id, "À relire.", until=until, by=COMMAND)

    def lift(self, services: Services) -> None:
        services.suspensions.lift(self.campus, self.award_id, by=COMMAND)

    def correct_log(self, services: Services) -> None:
        """Add one hour to the recorded participation."""
        activity = self.app.activity
        ((participation, _),) = [
            each
            for each in services.stores.activities.participants(activity.id, with_absent=True)
            if each[0].person_id == services.awards.record(self.award_id).person.id
        ]
        services.activities.amend(
            self.campus,
            activity.id,
            participation.id,
            part=participation.part,
            hours=(participation.hours or 0) + 1,
            contribution=participation.contribution,
            by=COMMAND,
        )

    def erase(self, services: Services) -> None:
        person_id = services.awards.record(self.award_id).person.id
        services.erasures.process_chunk(self.campus, person_id, "Demande de la personne.", by=COMMAND)
