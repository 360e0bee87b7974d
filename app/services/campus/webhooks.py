"""A campus registers webhooks; a worker reads the feed of changes for them and sends each change."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Final

import structlog

from app.db.accounts import OwnAddressStore
from app.db.activities import ActivityStore
from app.db.campus import CampusStore, HistoryStore, TeamStore
from app.db.campus.directory import ProgramLists
from app.db.campus.integration import IntegrationStore, WebhookStore
from app.db.campus.people import is_known_at
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    MOST_WEBHOOKS,
    RESTARTED_TYPE,
    SECRET_OVERLAP,
    TEST_TYPE,
    Attempt,
    Change,
    ChangedKind,
    DeliveryState,
    FeedPlace,
    NamedKind,
    Wanted,
    Webhook,
    WebhookClient,
    WebhookDelivery,
    WebhookState,
    WhatHappened,
    body_of,
    check_webhook_kinds,
    check_webhook_label,
    check_webhook_url,
    message_of,
    note_attempt,
    place_in,
    replay,
    signed_headers,
    valid_secrets,
    webhook_secret,
)
from app.domain.core import Clock
from app.domain.messages import Occasion, letters_to_administrators
from app.domain.people import Person
from app.domain.publishing import Addresses
from app.errors import AppError, Conflict, NotFound, faults_of_fields
from app.services.people.upserts import ExternalIds

log = structlog.get_logger("webhooks")
_BY: Final = Actor.command("worker")
CHANGES_AT_ONCE: Final = 200
SENT_AT_ONCE: Final = 20
LONGEST_TURN: Final = 2.0
"""Seconds after which a slow receiver gives its thread to the webhooks that wait, and a stopping worker may end."""


@dataclass(frozen=True)
class OutgoingMessage:
    delivery_id: uuid.UUID
    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, eq=False)
class WebhookService:
    webhooks: WebhookStore
    integration: IntegrationStore
    campuses: CampusStore
    team: TeamStore
    own_addresses: OwnAddressStore
    letters: LetterStore
    history: HistoryStore
    client: WebhookClient
    addresses: Addresses
    secret: bytes
    clock: Clock

    # --- the campus's settings

    def list_of(self, campus: Campus) -> Sequence[Webhook]:
        return self.webhooks.list_of(campus.id)

    def get(self, campus: Campus, webhook_id: uuid.UUID) -> Webhook:
        return self.webhooks.get_in_campus(webhook_id, campus.id)

    def faults_of(self, *, url: str, label: str, kinds: Sequence[str]) -> dict[str, AppError]:
        """By parameter, in the order of the form."""

        def check_url() -> None:
            check_webhook_url(url)
            self.client.check(url)

        return faults_of_fields(
            {
                "label": lambda: check_webhook_label(label),
                "url": check_url,
                "kinds": lambda: check_webhook_kinds(kinds),
            }
        )

    def add(self, campus: Campus, *, url: str, label: str, kinds: Sequence[str], by: Actor) -> Webhook:
        """Sends what changes from now on."""
        url, label = url.strip(), " ".join(label.split())
        for fault in self.faults_of(url=url, label=label, kinds=kinds).values():
            raise fault
        if len(self.webhooks.list_of(campus.id)) >= MOST_WEBHOOKS:
            raise Conflict("Un campus a {most} webhooks au plus : retirez-en un d’abord.", most=MOST_WEBHOOKS)
        head, at = self.integration.head(campus.id), self.clock()
        webhook = Webhook(
            campus_id=campus.id,
            url=url,
            label=label,
            kinds=[each.value for each in ChangedKind if each.value in kinds],
            created_at=at,
            generation=head.generation,
            read_to=head.last,
            complete=head.last,
            next_at=at,
        )
        self.webhooks.add(webhook)
        self._note(by, "add", webhook)
        return webhook

    def secret_of(self, webhook: Webhook) -> str:
        return webhook_secret(self.secret, webhook)

    def rotate(self, campus: Campus, webhook_id: uuid.UUID, *, by: Actor) -> Webhook:
        """The secret before signs too, for a day."""
        webhook, at = self._locked(campus, webhook_id), self.clock()
        webhook.secret_version += 1
        webhook.previous_until = at + SECRET_OVERLAP
        return self._saved(webhook, "rotate", by)

    def pause(self, campus: Campus, webhook_id: uuid.UUID, *, by: Actor) -> Webhook:
        webhook = self._locked(campus, webhook_id)
        if webhook.state is WebhookState.PAUSED:
            return webhook
        webhook.state = WebhookState.PAUSED
        return self._saved(webhook, "pause", by)

    def resume(self, campus: Campus, webhook_id: uuid.UUID, *, by: Actor) -> Webhook:
        """Continues where it stopped: what waits and what changed meanwhile is sent now."""
        webhook = self._locked(campus, webhook_id)
        if webhook.is_active:
            return webhook
        at = self.clock()
        webhook.state, webhook.failures, webhook.next_at = WebhookState.ACTIVE, 0, at
        self.webhooks.retry_waiting(webhook.id, at)
        return self._saved(webhook, "resume", by)

    def remove(self, campus: Campus, webhook_id: uuid.UUID, *, by: Actor) -> None:
        webhook = self._locked(campus, webhook_id)
        self._note(by, "remove", webhook)
        self.webhooks.remove_webhook(webhook)

    def test(self, campus: Campus, webhook_id: uuid.UUID, *, by: Actor) -> WebhookDelivery:
        """A message about no row, sent at once."""
        webhook, at = self._locked(campus, webhook_id), self.clock()
        self._check_active(webhook)
        delivery = WebhookDelivery(
            webhook_id=webhook.id, type=TEST_TYPE, happened_at=at, created_at=at, next_at=at
        )
        self.webhooks.add(delivery)
        webhook.next_at = at
        self._saved(webhook, "test", by)
        return delivery

    def deliveries(
        self,
        webhook: Webhook,
        *,
        before: tuple[datetime, uuid.UUID] | None = None,
        state: DeliveryState | None = None,
        limit: int,
    ) -> Sequence[WebhookDelivery]:
        return self.webhooks.deliveries(webhook.id, before=before, state=state, limit=limit)

    def counts(self, webhook: Webhook) -> dict[DeliveryState, int]:
        return self.webhooks.counts(webhook.id)

    def replay(
        self, campus: Campus, webhook_id: uuid.UUID, delivery_id: uuid.UUID, *, by: Actor
    ) -> WebhookDelivery:
        """The same message again, under the same id."""
        webhook, at = self._locked(campus, webhook_id), self.clock()
        delivery = self.webhooks.lock_delivery(delivery_id)
        if delivery is None or delivery.webhook_id != webhook.id:
            raise NotFound("Ce message n’est pas, ou plus, dans le journal de ce webhook.")
        self._check_active(webhook)
        replay(delivery, at=at)
        self.webhooks.add(delivery)
        webhook.next_at = at
        self._saved(webhook, "replay", by)
        return delivery

    def replay_failed(self, campus: Campus, webhook_id: uuid.UUID, *, by: Actor) -> int:
        """Every message that was given up."""
        webhook, at = self._locked(campus, webhook_id), self.clock()
        self._check_active(webhook)
        replayed = self.webhooks.replay_failed(webhook.id, at)
        webhook.next_at = at
        self._saved(webhook, "replay", by)
        return replayed

    def _locked(self, campus: Campus, webhook_id: uuid.UUID) -> Webhook:
        return self.webhooks.get_in_campus(webhook_id, campus.id, lock=True)

    @staticmethod
    def _check_active(webhook: Webhook) -> None:
        if not webhook.is_active:
            raise Conflict("Ce webhook est en pause : reprenez les envois d’abord.")

    def _saved(self, webhook: Webhook, action: str, by: Actor) -> Webhook:
        self.webhooks.add(webhook)
        self._note(by, action, webhook)
        return webhook

    def _note(self, by: Actor, action: str, webhook: Webhook) -> None:
        self.history.write(
            by,
            action,
            "webhook",
            webhook.id,
            at=self.clock(),
            campus_id=webhook.campus_id,
            label=webhook.label,
        )

    # --- the worker

    def due(self, *, limit: int) -> list[uuid.UUID]:
        return self.webhooks.due(self.clock(), limit=limit)

    def collect(self, webhook_id: uuid.UUID) -> bool:
        """Writes the messages of the next changes; returns whether more changes are left. Idempotent."""
        webhook, at = self.webhooks.lock(webhook_id), self.clock()
        if webhook is None or not webhook.is_active:
            return False
        head = self.webhooks.shared_head(webhook.campus_id)
        if head is None or (head.last == webhook.read_to and head.generation == webhook.generation):
            return False
        if head.generation != webhook.generation and webhook.read_to:
            return self._restart(webhook, head.generation, head.last, at)
        kinds = [ChangedKind(each) for each in webhook.kinds]
        found = self.integration.changes(
            webhook.campus_id, after=webhook.read_to, kinds=kinds, limit=CHANGES_AT_ONCE + 1
        )
        shown, more = found[:CHANGES_AT_ONCE], len(found) > CHANGES_AT_ONCE
        self.webhooks.add(*[message_of(each, each.since(webhook.complete), webhook, at=at) for each in shown])
        webhook.generation = head.generation
        webhook.read_to = shown[-1].number if more else head.last
        if not more:
            webhook.complete = head.last
        self.webhooks.add(webhook)
        return more

    def _restart(self, webhook: Webhook, generation: str, last: int, at: datetime) -> bool:
        """A backup was restored: what was sent may never have happened."""
        self.webhooks.add(
            WebhookDelivery(
                webhook_id=webhook.id,
                type=RESTARTED_TYPE,
                number=last,
                happened_at=at,
                created_at=at,
                next_at=at,
            )
        )
        webhook.generation, webhook.read_to, webhook.complete = generation, last, last
        self.webhooks.add(webhook)
        return False

    def outgoing(self, webhook_id: uuid.UUID) -> OutgoingMessage | None:
        """The next message, in their order, as it may leave now; signed for this attempt."""
        webhook, at = self.webhooks.find(webhook_id), self.clock()
        if webhook is None or not webhook.is_active or not webhook.is_due(at):
            return None
        delivery = next(iter(self.webhooks.sendable(webhook.id, at, limit=1)), None)
        if delivery is None:
            return None
        body = body_of(delivery, self.campuses.get_by_id(webhook.campus_id).slug, self.addresses.base_url)
        secrets = valid_secrets(self.secret, webhook, at=at)
        headers = signed_headers(delivery.message_id, body, secrets, at=at)
        return OutgoingMessage(delivery.id, webhook.url, body, headers)

    def note(self, webhook_id: uuid.UUID, delivery_id: uuid.UUID, attempt: Attempt) -> None:
        webhook, at = self.webhooks.lock(webhook_id), self.clock()
        delivery = self.webhooks.lock_delivery(delivery_id)
        if webhook is None or delivery is None or delivery.state is not DeliveryState.WAITING:
            return
        was_active = webhook.is_active
        note_attempt(webhook, delivery, attempt, at=at)
        if not was_active:
            webhook.state = WebhookState.PAUSED  # meanwhile, by an administrator
        self.webhooks.add(delivery)
        self.webhooks.add(webhook)
        if was_active and not webhook.is_active:
            self._note(_BY, "fail", webhook)
            self._warn_administrators(webhook, at)

    def _warn_administrators(self, webhook: Webhook, at: datetime) -> None:
        addresses = [
            (person_id, row.address)
            for person_id in sorted(self.team.administrators(webhook.campus_id, at=at))
            for row in self.own_addresses.list_of(person_id)
            if row.verified_at is not None
        ]
        self.letters.enqueue_new(
            letters_to_administrators(
                addresses,
                Occasion.WEBHOOK_PAUSED,
                webhook.id,
                webhook.label,
                campus_id=webhook.campus_id,
                at=at,
            )
        )


@dataclass(frozen=True)
class WebhookSender:
    """Sends at least once: if killed between the receiver's answer and our commit, again under the same id.

    `desk` opens one transaction, read-only or not; none is open while a receiver is asked.
    """

    desk: Callable[[bool], AbstractContextManager[WebhookService]]
    client: WebhookClient
    monotonic: Callable[[], float] = monotonic

    def due(self, *, limit: int) -> list[uuid.UUID]:
        with self.desk(True) as webhooks:
            return webhooks.due(limit=limit)

    def send_some(self, webhook_id: uuid.UUID) -> bool:
        """Returns whether to go on."""
        began = self.monotonic()
        with self.desk(False) as webhooks:
            more = webhooks.collect(webhook_id)
        for _ in range(SENT_AT_ONCE):
            # Read just before each attempt: meanwhile it may be paused, or a person erased.
            with self.desk(True) as webhooks:
                message = webhooks.outgoing(webhook_id)
            if message is None:
                return more
            attempt = self.client.post(message.url, message.body, message.headers)
            with self.desk(False) as webhooks:
                webhooks.note(webhook_id, message.delivery_id, attempt)
            if not attempt.is_received:
                log.info(
                    "webhook not received",
                    webhook=str(webhook_id),
                    status=attempt.status,
                    fault=attempt.fault,
                )
                return False
            if self.monotonic() - began >= LONGEST_TURN:
                break
        return True


# --- The feed of changes and the lists of a campus, for programs that keep a copy


@dataclass(frozen=True)
class FeedPage:
    """`cursor` continues after these changes, also where there are none yet."""

    changes: Sequence[tuple[Change, WhatHappened]]
    cursor: str
    more: bool


@dataclass(frozen=True, eq=False)
class FeedService:
    integration: IntegrationStore

    def page(
        self, campus: Campus, cursor: str | None, *, kinds: Collection[ChangedKind] = (), limit: int
    ) -> FeedPage:
        head = self.integration.head(campus.id)
        place = place_in(head, cursor)
        found = self.integration.changes(campus.id, after=place.number, kinds=kinds, limit=limit + 1)
        shown, more = found[:limit], len(found) > limit
        # Without more of these kinds, those of other kinds are read too.
        number = shown[-1].number if more else max(place.number, head.last)
        complete = place.complete if more else number
        return FeedPage(
            [(each, each.since(place.complete)) for each in shown],
            FeedPlace(place.generation, number, complete).to_cursor(),
            more,
        )


@dataclass(frozen=True, eq=False)
class ProgramListService:
    """Pages of rows for programs, with what each row is called in the campus's own system."""

    lists: ProgramLists
    integration: IntegrationStore
    people_store: PeopleStore
    activity_store: ActivityStore
    external_ids: ExternalIds

    def people(
        self, campus: Campus, wanted: Wanted, *, external_id: str = "", address: str = ""
    ) -> list[Person]:
        return self.lists.people(
            campus.id, self._among(campus, NamedKind.PERSON, wanted, external_id), address=address
        )

    def activities(self, campus: Campus, wanted: Wanted, *, external_id: str = "") -> list[Activity]:
        return self.lists.activities(campus.id, self._among(campus, NamedKind.ACTIVITY, wanted, external_id))

    def _among(self, campus: Campus, kind: NamedKind, wanted: Wanted, external_id: str) -> Wanted:
        if not external_id:
            return wanted
        found = self.external_ids.find(campus, kind, external_id)
        return replace(wanted, ids=[found] if found else [])

    def participations(
        self, campus: Campus, activity_id: uuid.UUID, wanted: Wanted, *, with_absent: bool
    ) -> list[tuple[Participation, Person]]:
        activity = self.activity_store.get_in_campus(activity_id, campus.id)
        found = self.lists.participations(campus.id, activity.id, wanted, with_absent=with_absent)
        return self._with_people(found)

    def participation(self, campus: Campus, participation_id: uuid.UUID) -> tuple[Participation, Person]:
        found = self.lists.participation(campus.id, participation_id)
        if found is None:
            raise NotFound("Cette participation n’existe pas ici.")
        return self._with_people([found])[0]

    def _with_people(self, found: Sequence[Participation]) -> list[tuple[Participation, Person]]:
        people = {each.id: each for each in self.people_store.list_by_id({each.person_id for each in found})}
        return [(each, people[each.person_id]) for each in found]

    def addresses_of(self, campus: Campus, people: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        return self.people_store.addresses_of(people, is_known_at(campus.id))

    def met(self, campus: Campus, people: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those of whom the campus may read the age band."""
        return self.lists.met(campus.id, people)

    def changed_among(
        self, campus: Campus, ids: Collection[uuid.UUID], since: datetime | None
    ) -> Collection[uuid.UUID]:
        """All of them without a time."""
        return ids if since is None else self.integration.changed_among(campus.id, ids, since)
