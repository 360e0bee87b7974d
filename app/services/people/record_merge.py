"""Merge two records of one person: by the person, with both addresses verified, or by the campus of both."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.db.accounts import OwnAddressStore, SignInStore
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks.pathways import PathwayStore
from app.db.learners import ConnectedAppStore
from app.db.people import MergeStore, PeopleStore
from app.domain.accounts.sign_in import Changed, SignInRequest
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.people import (
    NAMELESS,
    Person,
    PersonMerge,
    Standing,
    check_campus_may_merge,
    check_may_undo,
    check_merge_reason,
    kept_and_gone,
    name_key,
)
from app.errors import NotAllowed, NotFound
from app.language import N_
from app.services.accounts.sessions import AccountNotices, SignedIn
from app.services.activity_log.activity_log import LoggedEvents

_BOTH_PROVED = "both addresses proved"
_NOT_OFFERED = N_("Cette fiche n’est pas à l’une de vos adresses confirmées.")


@dataclass(frozen=True)
class Other:
    """A record at an address that the person verified, and its content."""

    person: Person
    works: bool
    awards: Sequence[AwardRecord]
    campuses: Sequence[Campus]


@dataclass(frozen=True, eq=False)
class MergingService:
    merges: MergeStore
    people: PeopleStore
    own: OwnAddressStore
    challenges: SignInStore
    awards: AwardStore
    campuses: CampusStore
    activities: ActivityStore
    logged_events: LoggedEvents
    pathways: PathwayStore
    apps: ConnectedAppStore
    notices: AccountNotices
    end_self_awards_of: Callable[[uuid.UUID], None]
    history: HistoryStore
    clock: Clock

    # --- for the person

    def offered_to(self, person: Person) -> list[Other]:
        """Records with mail at an address that `person` verified, if a link sent there would open them."""
        found: dict[uuid.UUID, Person] = {}
        for address in self._proved(person):
            for other, _ in self.own.people_at(address):
                if other.id != person.id and self.own.may_enter(other, address):
                    found[other.id] = other
        return [self._other(other) for other in found.values()]

    def _proved(self, person: Person) -> list[str]:
        rows = [row.address for row in self.own.list_of(person.id) if row.verified_at is not None]
        shown = self.challenges.challenges_of(person.id, SignInRequest.ADDRESS, at=self.clock())
        return [*rows, *(str(each.facts["address"]) for each in shown if each.facts.get("proved"))]

    def _other(self, person: Person) -> Other:
        standing = self._standing(person.id)
        return Other(
            person,
            standing.works,
            self.awards.list_of_person(person.id),
            [self.campuses.get_by_id(campus_id) for campus_id in sorted(standing.campuses)],
        )

    def twin_at(self, person: Person, address: str) -> Person | None:
        """Another record with the same name at that address."""
        twin = self.people.find_named_at(address, name_key(person.given_name, person.family_name))
        return twin if twin is not None and twin.id != person.id else None

    def is_nobody_else_s(self, person: Person) -> bool:
        """Whether no one ever authenticated as that person: only name and address are known."""
        return not self.own.has_account(person.id) and self.own.is_plain(person.id)

    def absorb(self, who: SignedIn, twin: Person) -> None:
        """Merge a record with the same name at an address verified just now: by rule the same person."""
        self._merge(who.person.id, twin.id, campus=None, by=who.actor, reason=_BOTH_PROVED)

    def merge_mine(self, who: SignedIn, other_id: uuid.UUID) -> Person:
        """Returns the remaining record; if it is the other one, the requester is signed out."""
        if other_id not in {other.person.id for other in self.offered_to(who.person)}:
            raise NotFound(_NOT_OFFERED)
        kept, gone = kept_and_gone(self._standing(who.person.id), self._standing(other_id))
        self._merge(kept.person_id, gone.person_id, campus=None, by=who.actor, reason=_BOTH_PROVED)
        person = self.people.get(kept.person_id)
        for address in self._proved(person):
            self.people.add_address(person, address)
            self.own.verify(person, address, at=self.clock())
        return person

    # --- for the campus

    def merge_in_campus(
        self, campus: Campus, kept_id: uuid.UUID, gone_id: uuid.UUID, reason: str, *, by: Actor
    ) -> PersonMerge:
        check_merge_reason(reason)
        kept, gone = self._known_in(campus, kept_id), self._known_in(campus, gone_id)
        check_campus_may_merge(campus.id, kept, gone)
        self._check_addresses(campus, kept, gone)
        return self._merge(kept_id, gone_id, campus=campus, by=by, reason=reason.strip())

    def _check_addresses(self, campus: Campus, kept: Standing, gone: Standing) -> None:
        """The addresses of the gone record become ways into the surviving one."""
        if kept.has_account or kept.works or not kept.others_than(campus.id):
            return
        if set(self.people.all_addresses(gone.person_id)) - set(self.people.all_addresses(kept.person_id)):
            raise NotAllowed(
                N_(
                    "Un autre campus connaît aussi la fiche gardée, et l’autre fiche a une autre adresse. Seule la personne "
                    "peut les fusionner, depuis « Mon compte »."
                )
            )

    def _known_in(self, campus: Campus, person_id: uuid.UUID) -> Standing:
        """Raises NotFound for a person unknown to the campus (T01)."""
        with self.own.tenant_scope.across_campuses():
            standing = self._standing(person_id)
        if campus.id not in standing.campuses:
            raise NotFound(N_("Cette personne n’existe pas ici."))
        return standing

    def merged_into(self, campus: Campus, person_id: uuid.UUID) -> list[PersonMerge]:
        return [merge for merge in self.merges.list_of(person_id) if merge.campus_id == campus.id]

    def mine(self, person_id: uuid.UUID) -> list[PersonMerge]:
        return self.merges.list_of(person_id)

    # --- undo

    def undo_in_campus(self, campus: Campus, merge_id: uuid.UUID, *, by: Actor) -> PersonMerge:
        merge = self.merges.get(merge_id)
        if merge.campus_id != campus.id:
            raise NotFound(N_("Cette fusion de fiches n’existe pas ici."))
        return self._undo(merge, by=by)

    def undo_mine(self, who: SignedIn, merge_id: uuid.UUID) -> PersonMerge:
        merge = self.merges.get(merge_id)
        if merge.kept_id != who.person.id:
            raise NotFound(N_("Cette fusion de fiches n’existe pas ici."))
        return self._undo(merge, by=who.actor)

    def _undo(self, merge: PersonMerge, *, by: Actor) -> PersonMerge:
        at = self.clock()
        check_may_undo(merge, at=at)
        self.merges.hand_back(merge)
        self.pathways.part_people(merge.gone_id, merge.moved.get("pathways", ()), at=at)
        self.logged_events.mark_pathways([merge.kept_id, merge.gone_id])
        gone = self.people.get(merge.gone_id)
        gone.given_name, gone.family_name = merge.given_name, merge.family_name
        self.people.save(gone)
        merge.undone_at, merge.given_name, merge.family_name = at, "", ""
        self.merges.add(merge)
        self._note("unmerge", merge, by)
        return merge

    # --- merge

    def _merge(
        self, kept_id: uuid.UUID, gone_id: uuid.UUID, *, campus: Campus | None, by: Actor, reason: str
    ) -> PersonMerge:
        """Moves awards, activities, log entries, requests and e-mails; signed documents are unchanged."""
        gone = self.people.get(gone_id)
        merge = PersonMerge(
            kept_id=kept_id,
            gone_id=gone_id,
            given_name=gone.given_name,
            family_name=gone.family_name,
            campus_id=campus.id if campus else None,
            merged_by=by.person_id,
            reason=reason,
            at=self.clock(),
        )
        self._join_parts(kept_id, gone_id)
        self.apps.end_all_of(gone_id)
        joined = self.pathways.join_people(kept_id, gone_id)
        merge.moved = self.merges.hand_over(kept_id, gone_id) | ({"pathways": joined} if joined else {})
        self.logged_events.mark_pathways([kept_id])
        self.merges.one_main(kept_id)
        gone = self.people.get(gone_id)
        if not gone.accepts_links:
            kept = self.people.get(kept_id)
            kept.accepts_links = False
            self.people.save(kept)
        gone.given_name, gone.family_name = "", NAMELESS
        self.people.save(gone)
        self.merges.add(merge)
        self._note("merge", merge, by)
        self.end_self_awards_of(kept_id)
        self.notices.tell(self.people.get(kept_id), Changed.MERGED)
        return merge

    def _join_parts(self, kept_id: uuid.UUID, gone_id: uuid.UUID) -> None:
        """Two participations in one activity become one, with the longer hours; logged as a correction."""
        for mine, theirs in self.merges.shared_activities(kept_id, gone_id):
            if not theirs.is_present:
                continue
            mine.hours = max(filter(None, (mine.hours, theirs.hours)), default=mine.hours)
            mine.contribution = mine.contribution or theirs.contribution
            mine.is_present = True
            theirs.is_present = False
            self.activities.add_participations([mine, theirs])
            activity = self.activities.find(mine.activity_id)
            assert activity is not None, "a part belongs to an activity"
            self.logged_events.log_participation(
                activity, [mine, theirs], "Deux dossiers de la même personne sont réunis."
            )

    def _standing(self, person_id: uuid.UUID) -> Standing:
        return self.merges.standing(
            person_id,
            has_account=self.own.has_account(person_id),
            works=not self.own.is_plain(person_id),
        )

    def _note(self, deed: str, merge: PersonMerge, by: Actor) -> None:
        """In the history of each campus that knows the person, without a name."""
        concerned = self._standing(merge.kept_id).campuses | self._standing(merge.gone_id).campuses
        places: list[uuid.UUID | None] = [*sorted(concerned)]
        for campus_id in places or [None]:
            self.history.write(
                by,
                deed,
                "person",
                merge.kept_id,
                at=self.clock(),
                campus_id=campus_id,
                merge=str(merge.id),
                other=str(merge.gone_id),
            )
