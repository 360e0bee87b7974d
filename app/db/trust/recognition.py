"""Registers of networks: whom they recognise, their keys, the editions they signed, and the lists that are followed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, SQLModel, col, select

from app.domain.campus.campus import Label, Network
from app.domain.trust.recognition import FollowedList, NetworkKey, Recognition, TrustEdition
from app.errors import NotFound
from app.language import N_


class RecognitionStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: SQLModel) -> None:
        self.session.add(row)
        self.session.flush()

    def remove(self, row: SQLModel) -> None:
        self.session.delete(row)
        self.session.flush()

    # --- networks

    def network(self, slug: str) -> Network:
        found = self.session.exec(select(Network).where(Network.slug == slug)).first()
        if found is None:
            raise NotFound(N_("Ce réseau n’existe pas ici."))
        return found

    def network_by_id(self, network_id: uuid.UUID) -> Network:
        return self.session.exec(select(Network).where(Network.id == network_id)).one()

    def hold(self, network_id: uuid.UUID) -> None:
        """Until the transaction ends nobody else signs for the network, nor changes its key."""
        self.session.exec(select(Network.id).where(Network.id == network_id).with_for_update()).one()

    def networks(self) -> Sequence[Network]:
        return self.session.exec(select(Network).order_by(col(Network.name))).all()

    def key_of(self, network_id: uuid.UUID) -> NetworkKey | None:
        """The key that signs now."""
        query = select(NetworkKey).where(NetworkKey.network_id == network_id)
        return self.session.exec(query.where(col(NetworkKey.retired_at).is_(None))).first()

    def leaving_key_of(self, network_id: uuid.UUID, *, retired_after: datetime) -> NetworkKey | None:
        """The one that gave way last, if that was after then and nobody else may have had it."""
        query = select(NetworkKey).where(
            NetworkKey.network_id == network_id,
            col(NetworkKey.retired_at) > retired_after,
            col(NetworkKey.revoked_at).is_(None),
        )
        return self.session.exec(query.order_by(col(NetworkKey.retired_at).desc()).limit(1)).first()

    def keys_of(self, network_id: uuid.UUID) -> Sequence[NetworkKey]:
        query = select(NetworkKey).where(NetworkKey.network_id == network_id)
        return self.session.exec(query.order_by(col(NetworkKey.created_at))).all()

    # --- what they recognise

    def entries_of(self, network_id: uuid.UUID) -> Sequence[Recognition]:
        query = select(Recognition).where(Recognition.network_id == network_id)
        return self.session.exec(query.order_by(col(Recognition.name), col(Recognition.id))).all()

    def entry(self, network_id: uuid.UUID, issuer: str) -> Recognition | None:
        query = select(Recognition).where(Recognition.network_id == network_id, Recognition.issuer == issuer)
        return self.session.exec(query).first()

    def networks_about(self, issuer: str) -> Sequence[Network]:
        """Those in whose register whoever signs under this identifier stands."""
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
            raise NotFound(N_("Ce label n’existe pas ici."))
        return found

    # --- what they published

    def edition_of(self, network_id: uuid.UUID) -> TrustEdition | None:
        return self.session.get(TrustEdition, network_id)

    def editions(self) -> Sequence[tuple[uuid.UUID, str]]:
        """Which network published what; the lists themselves are large."""
        query = select(TrustEdition.network_id, TrustEdition.sequence, TrustEdition.content)
        rows = self.session.exec(query.order_by(col(TrustEdition.network_id)))
        return [(network_id, f"{sequence} {content}") for network_id, sequence, content in rows]

    # --- what others publish

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
