"""Campuses, networks, labels and signing keys."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, SQLModel, col, select

from app.domain.campus.campus import Campus, Label, Network, NetworkMember, is_slug
from app.domain.campus.keys import KeyPurpose, KeyState, SealedKey
from app.domain.trust.organisations import OrganisationKey
from app.domain.trust.recognition import NetworkKey
from app.errors import NotFound, Unavailable
from app.language import N_
from app.tenancy.scope import rows_named


class CampusStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, *rows: SQLModel) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def get(self, slug: str) -> Campus:
        campus = self.find(slug)
        if campus is None:
            raise NotFound(N_("Ce campus n’existe pas ici."))
        return campus

    def get_by_id(self, campus_id: uuid.UUID) -> Campus:
        campus = self.session.get(Campus, campus_id)
        if campus is None:
            raise NotFound(N_("Ce campus n’existe pas ici."))
        return campus

    def find(self, slug: str) -> Campus | None:
        if not is_slug(slug):
            # An address may hold signs that PostgreSQL refuses to compare.
            return None
        return self.session.exec(select(Campus).where(Campus.slug == slug)).first()

    def find_by_did(self, did: str) -> Campus | None:
        return self.session.exec(select(Campus).where(Campus.did == did)).first()

    def lock(self, campus_id: uuid.UUID) -> Campus:
        """Hold the campus until the transaction ends: its awards are decided one request after the other."""
        return self.session.exec(select(Campus).where(Campus.id == campus_id).with_for_update()).one()

    def list_all(self) -> Sequence[Campus]:
        return self.session.exec(select(Campus).order_by(col(Campus.short_name))).all()

    def networks_of(self, campus_id: uuid.UUID) -> Sequence[Network]:
        return self.session.exec(
            select(Network)
            .join(NetworkMember, col(NetworkMember.network_id) == col(Network.id))
            .where(NetworkMember.campus_id == campus_id)
            .order_by(col(Network.name))
        ).all()

    def labels_of(self, issuer: str) -> list[tuple[Label, Network]]:
        """The labels of whoever signs under this identifier, here or elsewhere; the earliest first."""
        rows = self.session.exec(
            select(Label, Network)
            .join(Network, col(Network.id) == col(Label.network_id))
            .where(Label.issuer == issuer)
            .order_by(col(Label.starts_on))
        )
        return [(label, network) for label, network in rows]

    def keys_of(self, campus_id: uuid.UUID) -> Sequence[SealedKey]:
        query = select(SealedKey).where(SealedKey.campus_id == campus_id)
        with rows_named(self.session):
            return self.session.exec(
                query.order_by(col(SealedKey.created_at), col(SealedKey.method_id))
            ).all()

    def all_keys(self) -> list[tuple[SealedKey, Campus]]:
        rows = self.session.exec(
            select(SealedKey, Campus)
            .join(Campus, col(Campus.id) == col(SealedKey.campus_id))
            .order_by(col(Campus.slug), col(SealedKey.created_at))
        )
        return [(key, campus) for key, campus in rows]

    def active_key(self, campus_id: uuid.UUID) -> SealedKey:
        key = self.find_active_key(campus_id, KeyPurpose.CREDENTIAL)
        if key is None:
            raise Unavailable(N_("Ce campus n’a pas de clé de signature active. Rien n’a été signé."))
        return key

    def sealed_under(self) -> set[str]:
        """The identifiers of the key-encryption keys that keys still signing are sealed under, whoever owns them."""
        queries = (
            select(SealedKey.kek_id).where(SealedKey.state == KeyState.ACTIVE),
            select(NetworkKey.kek_id).where(col(NetworkKey.retired_at).is_(None)),
            select(OrganisationKey.kek_id).where(col(OrganisationKey.retired_at).is_(None)),
        )
        return {kek_id for query in queries for kek_id in self.session.exec(query.distinct())}

    def active_keys(self) -> list[tuple[SealedKey, Campus]]:
        return [(key, campus) for key, campus in self.all_keys() if key.state is KeyState.ACTIVE]

    def find_active_key(self, campus_id: uuid.UUID, purpose: KeyPurpose) -> SealedKey | None:
        with rows_named(self.session):
            return self.session.exec(
                select(SealedKey).where(
                    SealedKey.campus_id == campus_id,
                    SealedKey.purpose == purpose,
                    SealedKey.state == KeyState.ACTIVE,
                    SealedKey.algorithm == "EdDSA",
                )
            ).first()
