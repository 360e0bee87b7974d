"""Trust registries of networks: recognitions, keys, signed editions, and external lists."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, exists
from sqlalchemy import select as select_rows
from sqlmodel import SQLModel, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.engine.queries import QuickRead, RowStore, Store, locked
from app.db.engine.row_level_security import found_by_name
from app.db.engine.writes import among, bare_rows
from app.domain.accounts.permissions import NetworkAdministrator
from app.domain.activities import Activity
from app.domain.awards import Award, AwardState, Visibility
from app.domain.badges import BadgeVersion
from app.domain.campus.campus import Label, Network
from app.domain.people import Person, is_own_address, may_be_under_15
from app.domain.trust import (
    PEER_KINDS,
    FollowedList,
    NetworkKey,
    PeerRecommendation,
    Recognition,
    TrustEdition,
)
from app.domain.trust.organisations import (
    Endorsed,
    Endorsement,
    EndorsementRequest,
    EndorsementStatusSlot,
    Organisation,
    OrganisationKey,
    Refusal,
    RequestKind,
)
from app.errors import NotFound


class RecognitionStore(RowStore[SQLModel]):
    # --- networks

    def network(self, slug: str) -> Network:
        found = self.session.exec(select(Network).where(Network.slug == slug)).first()
        if found is None:
            raise NotFound("Ce réseau n’existe pas ici.")
        return found

    def network_by_id(self, network_id: uuid.UUID) -> Network:
        return self.session.exec(select(Network).where(Network.id == network_id)).one()

    def hold(self, network_id: uuid.UUID) -> None:
        """Locks the network's signing and key until the transaction ends."""
        self.session.exec(locked(select(Network.id).where(Network.id == network_id))).one()

    def networks(self) -> Sequence[Network]:
        return self.session.exec(select(Network).order_by(col(Network.name))).all()

    def key_of(self, network_id: uuid.UUID) -> NetworkKey | None:
        """The key that signs now."""
        query = select(NetworkKey).where(NetworkKey.network_id == network_id)
        return self.session.exec(query.where(col(NetworkKey.retired_at).is_(None))).first()

    def leaving_key_of(self, network_id: uuid.UUID, *, retired_after: datetime) -> NetworkKey | None:
        """The latest retired key, if retired after that and not possibly stolen."""
        query = select(NetworkKey).where(
            NetworkKey.network_id == network_id,
            col(NetworkKey.retired_at) > retired_after,
            col(NetworkKey.revoked_at).is_(None),
        )
        return self.session.exec(query.order_by(col(NetworkKey.retired_at).desc()).limit(1)).first()

    def keys_of(self, network_id: uuid.UUID) -> Sequence[NetworkKey]:
        query = select(NetworkKey).where(NetworkKey.network_id == network_id)
        return self.session.exec(query.order_by(col(NetworkKey.created_at))).all()

    # --- recognitions

    def entries_of(self, network_id: uuid.UUID) -> Sequence[Recognition]:
        query = select(Recognition).where(Recognition.network_id == network_id)
        return self.session.exec(query.order_by(col(Recognition.name), col(Recognition.id))).all()

    def entry(self, network_id: uuid.UUID, issuer: str) -> Recognition | None:
        query = select(Recognition).where(Recognition.network_id == network_id, Recognition.issuer == issuer)
        return self.session.exec(query).first()

    def networks_about(self, issuer: str) -> Sequence[Network]:
        """Networks with a register entry for this issuer identifier."""
        query = select(Network).join(Recognition, col(Recognition.network_id) == col(Network.id))
        return self.session.exec(query.where(Recognition.issuer == issuer).order_by(Network.slug)).all()

    def labels_given(self, network_id: uuid.UUID) -> Sequence[Label]:
        query = select(Label).where(Label.network_id == network_id)
        return self.session.exec(query.order_by(col(Label.starts_on), col(Label.id))).all()

    def is_taken(self, network_id: uuid.UUID, position: int) -> bool:
        query = select(Label.id).where(Label.network_id == network_id, Label.position == position)
        return self.session.exec(query).first() is not None

    def withdrawn_places(self, network_id: uuid.UUID) -> Sequence[int]:
        query = select(Label.position).where(
            Label.network_id == network_id, col(Label.withdrawn_at).is_not(None)
        )
        return [position for position in self.session.exec(query) if position is not None]

    def label(self, label_id: uuid.UUID) -> Label:
        found = self.session.get(Label, label_id)
        if found is None:
            raise NotFound("Ce label n’existe pas ici.")
        return found

    # --- published lists

    def edition_of(self, network_id: uuid.UUID) -> TrustEdition | None:
        return self.session.get(TrustEdition, network_id)

    def editions(self) -> Sequence[tuple[uuid.UUID, str]]:
        """Which network published what; the lists themselves are large."""
        query = select(TrustEdition.network_id, TrustEdition.sequence, TrustEdition.content)
        rows = self.session.exec(query.order_by(col(TrustEdition.network_id)))
        return [(network_id, f"{sequence} {content}") for network_id, sequence, content in rows]

    # --- external lists

    def followed(self) -> Sequence[FollowedList]:
        return self.session.exec(select(FollowedList).order_by(col(FollowedList.url))).all()

    def followed_editions(self) -> Sequence[tuple[uuid.UUID, str]]:
        query = select(FollowedList.id, FollowedList.sequence, FollowedList.read_at)
        rows = self.session.exec(query.where(FollowedList.sequence > 0).order_by(FollowedList.url))
        return [(list_id, f"{sequence} {read_at}") for list_id, sequence, read_at in rows]

    def followed_by_id(self, list_id: uuid.UUID) -> FollowedList:
        return self.session.exec(select(FollowedList).where(FollowedList.id == list_id)).one()

    def find_followed(self, url: str) -> FollowedList | None:
        return self.session.exec(select(FollowedList).where(FollowedList.url == url)).first()

    def followed_due(self, *, tried_before: datetime) -> Sequence[uuid.UUID]:
        query = select(FollowedList.id).where(
            col(FollowedList.tried_at).is_(None) | (col(FollowedList.tried_at) <= tried_before)
        )
        return self.session.exec(query.order_by(col(FollowedList.tried_at)).limit(200)).all()


_AT_MOST = 500


def is_shown() -> Any:
    """Not withdrawn."""
    return (
        col(Endorsement.withdrawn_at).is_(None)
        & col(Endorsement.hidden_at).is_(None)
        & col(Endorsement.set_aside_at).is_(None)
    )


def _newest(*conditions: Any) -> SelectOfScalar[Endorsement]:
    query = select(Endorsement).where(*conditions)
    return query.order_by(col(Endorsement.signed_at).desc(), col(Endorsement.id))


@cache
def _shown_about(*, award: bool, version: bool) -> SelectOfScalar[Endorsement]:
    """Composed once for every badge page: composing takes longer than the database's answer."""
    wanted: list[Any] = []
    if award:
        wanted.append(col(Endorsement.award_id) == bindparam("award_id"))
    if version:
        up_to_it = select(BadgeVersion.id).where(
            col(BadgeVersion.badge_id) == bindparam("badge_id"),
            col(BadgeVersion.number) <= bindparam("number"),
        )
        wanted.append(col(Endorsement.version_id).in_(up_to_it) & col(Endorsement.award_id).is_(None))
    return _newest(or_(*wanted), is_shown()).limit(bindparam("at_most"))


_OF_AWARD: Final = QuickRead(
    lambda _: (
        select_rows(*Endorsement.__table__.c)  # type: ignore[attr-defined]
        .where(col(Endorsement.award_id) == bindparam("award_id"), is_shown())
        .order_by(col(Endorsement.signed_at).desc(), col(Endorsement.id))
        .limit(bindparam("at_most"))
    )
)


class EndorsementStore(RowStore[Endorsement | EndorsementRequest | PeerRecommendation]):
    # --- requests

    def find_request(self, request_id: uuid.UUID) -> EndorsementRequest | None:
        return self.session.get(EndorsementRequest, request_id)

    def lock_request(self, request_id: uuid.UUID) -> EndorsementRequest | None:
        """Locked: a link works once."""
        return self.find_locked(EndorsementRequest, request_id)

    def requests_about(
        self,
        campus_id: uuid.UUID,
        *,
        award_id: uuid.UUID | None = None,
        version_id: uuid.UUID | None = None,
    ) -> Sequence[EndorsementRequest]:
        """To organisations, newest first: about one award, one version of a badge, or the campus itself."""
        query = select(EndorsementRequest).where(
            EndorsementRequest.campus_id == campus_id, EndorsementRequest.kind == RequestKind.ORGANISATION
        )
        if award_id is not None:
            query = query.where(EndorsementRequest.award_id == award_id)
        elif version_id is not None:
            query = query.where(EndorsementRequest.version_id == version_id)
        else:
            query = query.where(EndorsementRequest.about == Endorsed.CAMPUS)
        return self._requests(query)

    def requests_of(self, campus_id: uuid.UUID) -> Sequence[EndorsementRequest]:
        """The campus's own requests; learners' requests are not included."""
        query = select(EndorsementRequest).where(
            EndorsementRequest.campus_id == campus_id, EndorsementRequest.about != Endorsed.AWARD
        )
        return self._requests(query)

    def peer_requests_about(self, award_id: uuid.UUID) -> Sequence[EndorsementRequest]:
        """To people who worked with the learner, and the links to share; newest first."""
        kinds = col(EndorsementRequest.kind).in_(PEER_KINDS)
        return self._requests(
            select(EndorsementRequest).where(EndorsementRequest.award_id == award_id, kinds)
        )

    def drop_unanswered_about(self, award_ids: Collection[uuid.UUID]) -> None:
        """What the holder asked of organisations and peers, and shared links: their addresses open nothing more."""
        query = select(EndorsementRequest).where(col(EndorsementRequest.award_id).in_(award_ids))
        unanswered = query.where(col(EndorsementRequest.answered_at).is_(None))
        for row in self.session.exec(locked(unanswered.order_by(col(EndorsementRequest.id)))):
            self.session.delete(row)
        self.session.flush()

    def requests_answered_by(self, endorsement_id: uuid.UUID) -> Sequence[EndorsementRequest]:
        """By an endorsement of an organisation, or a recommendation by a peer."""
        return self._requests(
            select(EndorsementRequest).where(EndorsementRequest.endorsement_id == endorsement_id)
        )

    def refuses_all(self, address: str) -> bool:
        """Whether the reader of that mailbox, in any spelling, wants no request any more."""
        refused = select(EndorsementRequest.address).where(EndorsementRequest.refusal == Refusal.EVER.value)
        return is_own_address(address, self.session.exec(refused.distinct()).all())

    def _requests(self, query: SelectOfScalar[EndorsementRequest]) -> Sequence[EndorsementRequest]:
        newest = query.order_by(col(EndorsementRequest.asked_at).desc(), col(EndorsementRequest.id))
        return self.session.exec(newest.limit(_AT_MOST)).all()

    # --- endorsements

    def find(self, endorsement_id: uuid.UUID) -> Endorsement | None:
        return found_by_name(self.session, lambda: self.session.get(Endorsement, endorsement_id))

    def get(self, endorsement_id: uuid.UUID) -> Endorsement:
        found = self.find(endorsement_id)
        if found is None:
            raise NotFound("Il n’y a pas de recommandation à cette adresse.")
        return found

    def shown_about(
        self, *, award_id: uuid.UUID | None = None, version: BadgeVersion | None = None, limit: int
    ) -> Sequence[Endorsement]:
        """What is shown about an award, or a badge up to a version of it, or both; newest first."""
        given: dict[str, Any] = {"at_most": limit}
        if award_id is not None:
            given["award_id"] = award_id
        if version is not None:
            given |= {"badge_id": version.badge_id, "number": version.number}
        query = _shown_about(award=award_id is not None, version=version is not None)
        return self.session.exec(query, params=given).all()

    def shown_about_award(self, award_id: uuid.UUID, *, limit: int) -> list[Endorsement]:
        """What is shown about this award alone, as rows detached from the session; newest first."""
        rows = _OF_AWARD.rows(self.session, {"award_id": award_id, "at_most": limit})
        return [row for each in rows for row in bare_rows(each, (Endorsement,))]

    def shown_about_campus(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[Endorsement]:
        is_about = Endorsement.about == Endorsed.CAMPUS
        return self._list(Endorsement.campus_id == campus_id, is_about, is_shown(), limit=limit)

    def of_award(self, award_id: uuid.UUID) -> Sequence[Endorsement]:
        return self._list(Endorsement.award_id == award_id)

    def of_awards(self, award_ids: Collection[uuid.UUID]) -> Sequence[Endorsement]:
        return self._list(among(self.session, col(Endorsement.award_id), award_ids))

    def of_campus(self, campus_id: uuid.UUID) -> Sequence[Endorsement]:
        """About the campus, its badges and its awards."""
        return self._list(Endorsement.campus_id == campus_id)

    def readable_in(self, campus_id: uuid.UUID, *, after: uuid.UUID, limit: int) -> Sequence[Endorsement]:
        """Not withdrawn, about the campus, its badges and its open awards in force, ordered by id."""
        is_open = exists().where(
            col(Award.id) == col(Endorsement.award_id),
            col(Award.visibility) == Visibility.OPEN,
            col(Award.state) != AwardState.REVOKED,
        )
        query = select(Endorsement).where(
            Endorsement.campus_id == campus_id,
            is_shown(),
            or_(col(Endorsement.about) != Endorsed.AWARD, is_open),
            col(Endorsement.id) > after,
        )
        return self.session.exec(query.order_by(col(Endorsement.id)).limit(limit)).all()

    def of_organisation(self, organisation_id: uuid.UUID) -> Sequence[Endorsement]:
        return self._list(Endorsement.organisation_id == organisation_id)

    def due(self, *, at: datetime, limit: int) -> Sequence[uuid.UUID]:
        """External endorsements to check again, the longest waiting first."""
        query = select(Endorsement.id).where(
            col(Endorsement.check_again_at) <= at, col(Endorsement.withdrawn_at).is_(None)
        )
        return self.session.exec(query.order_by(col(Endorsement.check_again_at)).limit(limit)).all()

    def ids_of_awards(self, award_ids: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
        query = select(Endorsement.id).where(col(Endorsement.award_id).in_(list(award_ids)))
        return self.session.exec(query).all()

    def _list(self, *conditions: Any, limit: int = _AT_MOST) -> Sequence[Endorsement]:
        return self.session.exec(_newest(*conditions).limit(limit)).all()


def peer_is_shown() -> Any:
    return (
        col(PeerRecommendation.accepted_at).is_not(None)
        & col(PeerRecommendation.declined_at).is_(None)
        & col(PeerRecommendation.withdrawn_at).is_(None)
        & col(PeerRecommendation.set_aside_at).is_(None)
    )


_PEERS_OF_AWARD: Final = QuickRead(
    lambda _: (
        select_rows(*PeerRecommendation.__table__.c)  # type: ignore[attr-defined]
        .where(col(PeerRecommendation.award_id) == bindparam("award_id"), peer_is_shown())
        .order_by(col(PeerRecommendation.written_at).desc(), col(PeerRecommendation.id))
        .limit(bindparam("at_most"))
    )
)


class PeerStore(Store):
    def awards_of_children(
        self, *, after: uuid.UUID, limit: int
    ) -> list[tuple[Award, Person, Activity | None]]:
        """Those with texts by others that were not set aside, ordered by id; of children under 15, or possibly so."""
        peers = exists().where(
            col(PeerRecommendation.award_id) == col(Award.id), col(PeerRecommendation.set_aside_at).is_(None)
        )
        endorsements = exists().where(
            col(Endorsement.award_id) == col(Award.id), col(Endorsement.set_aside_at).is_(None)
        )
        query = (
            select(Award, Person, Activity)
            .join(Person, col(Person.id) == col(Award.person_id))
            .join(Activity, col(Activity.id) == col(Award.activity_id), isouter=True)
            .where(col(Award.id) > after, may_be_under_15(), or_(peers, endorsements))
            .order_by(col(Award.id))
            .limit(limit)
        )
        return [(award, person, activity) for award, person, activity in self.session.exec(query)]

    def get(self, recommendation_id: uuid.UUID) -> PeerRecommendation:
        found = self.session.get(PeerRecommendation, recommendation_id)
        if found is None:
            raise NotFound("Il n’y a pas de recommandation à cette adresse.")
        return found

    def of_award(self, award_id: uuid.UUID) -> Sequence[PeerRecommendation]:
        """All of them, newest first."""
        return self._list(PeerRecommendation.award_id == award_id)

    def of_awards(self, award_ids: Collection[uuid.UUID]) -> Sequence[PeerRecommendation]:
        return self._list(among(self.session, col(PeerRecommendation.award_id), award_ids))

    def shown_about(self, award_id: uuid.UUID, *, limit: int) -> list[PeerRecommendation]:
        """As rows detached from the session; newest first."""
        rows = _PEERS_OF_AWARD.rows(self.session, {"award_id": award_id, "at_most": limit})
        return [row for each in rows for row in bare_rows(each, (PeerRecommendation,))]

    def accepted_in(self, campus_id: uuid.UUID) -> Sequence[PeerRecommendation]:
        """Public ones of a campus, and those that it set aside."""
        accepted = col(PeerRecommendation.accepted_at).is_not(None)
        return self._list(PeerRecommendation.campus_id == campus_id, accepted)

    def waiting_about(self, award_ids: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
        """The awards among these with a recommendation that waits for their holder."""
        query = select(PeerRecommendation.award_id).where(
            col(PeerRecommendation.award_id).in_(list(award_ids)),
            col(PeerRecommendation.accepted_at).is_(None),
            col(PeerRecommendation.declined_at).is_(None),
            col(PeerRecommendation.withdrawn_at).is_(None),
        )
        return self.session.exec(query).all()

    def _list(self, *conditions: Any) -> Sequence[PeerRecommendation]:
        query = select(PeerRecommendation).where(*conditions)
        newest = query.order_by(col(PeerRecommendation.written_at).desc(), col(PeerRecommendation.id))
        return self.session.exec(newest.limit(_AT_MOST)).all()


class OrganisationStore(RowStore[SQLModel]):
    def find(self, organisation_id: uuid.UUID) -> Organisation | None:
        return self.session.get(Organisation, organisation_id)

    def get(self, organisation_id: uuid.UUID) -> Organisation:
        found = self.find(organisation_id)
        if found is None:
            raise NotFound("Cette organisation n’existe pas ici.")
        return found

    def list_all(self) -> Sequence[Organisation]:
        return self.session.exec(select(Organisation)).all()

    def find_of(self, domain: str, mailbox: str) -> Organisation | None:
        """Locked until the transaction ends: it gets one key, and its slots are assigned sequentially."""
        query = select(Organisation).where(Organisation.domain == domain, Organisation.mailbox == mailbox)
        return self.session.exec(locked(query)).first()

    def find_named(self, named: str) -> Organisation | None:
        """`named`: its id, or its own domain; locked until the transaction ends."""
        try:
            return self.find_locked(Organisation, uuid.UUID(named))
        except ValueError:
            return self.find_of(named, "")

    def keys_of(self, organisation_id: uuid.UUID) -> Sequence[OrganisationKey]:
        query = select(OrganisationKey).where(OrganisationKey.organisation_id == organisation_id)
        return self.session.exec(
            query.order_by(col(OrganisationKey.created_at), col(OrganisationKey.method_id))
        ).all()

    def is_taken(self, organisation_id: uuid.UUID, position: int) -> bool:
        return self.session.get(EndorsementStatusSlot, (organisation_id, position)) is not None

    def raised(self, organisation_id: uuid.UUID) -> Sequence[int]:
        query = select(EndorsementStatusSlot.position).where(
            EndorsementStatusSlot.organisation_id == organisation_id,
            col(EndorsementStatusSlot.raised_at).is_not(None),
        )
        return self.session.exec(query).all()

    def find_place(self, endorsement_id: uuid.UUID) -> EndorsementStatusSlot | None:
        """Also of an erased endorsement."""
        query = select(EndorsementStatusSlot).where(EndorsementStatusSlot.endorsement_id == endorsement_id)
        return self.session.exec(query).first()

    def raise_places(self, endorsement_ids: Collection[uuid.UUID], *, at: datetime) -> None:
        """These endorsements become invalid, whatever copies exist."""
        query = select(EndorsementStatusSlot).where(
            col(EndorsementStatusSlot.endorsement_id).in_(list(endorsement_ids))
        )
        for place in self.session.exec(query).all():
            place.raised_at = place.raised_at or at
            self.session.add(place)
        self.session.flush()


class NetworkTeamStore(RowStore[SQLModel]):
    """The administrators of networks."""

    def find(self, network_id: uuid.UUID, person_id: uuid.UUID) -> NetworkAdministrator | None:
        return self.session.get(NetworkAdministrator, (network_id, person_id))

    def of_network(self, network_id: uuid.UUID) -> Sequence[Person]:
        query = select(Person).join(
            NetworkAdministrator, col(NetworkAdministrator.person_id) == col(Person.id)
        )
        query = query.where(NetworkAdministrator.network_id == network_id)
        return self.session.exec(query.order_by(col(Person.listed_as), col(Person.id))).all()

    def of_person(self, person_id: uuid.UUID) -> Sequence[Network]:
        query = select(Network).join(
            NetworkAdministrator, col(NetworkAdministrator.network_id) == col(Network.id)
        )
        query = query.where(NetworkAdministrator.person_id == person_id)
        return self.session.exec(query.order_by(col(Network.name))).all()
