"""Connected applications, consents and their secrets; a code is used by a conditional update, once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import SQLModel, col, delete, select, update

from app.db.engine.queries import Store
from app.domain.accounts.sessions import digest_of
from app.domain.learners.connected_apps import AppGrant, AppSecret, AppSecretKind, ConnectedApp


class ConnectedAppStore(Store):
    def add(self, row: SQLModel) -> None:
        self.session.add(row)
        self.session.flush()

    def find(self, app_id: uuid.UUID) -> ConnectedApp | None:
        return self.session.get(ConnectedApp, app_id)

    def list_all(self) -> Sequence[ConnectedApp]:
        query = select(ConnectedApp).order_by(col(ConnectedApp.name), col(ConnectedApp.id))
        return self.session.exec(query).all()

    def remove(self, app_id: uuid.UUID) -> None:
        """With every consent given to it."""
        self._end(col(AppGrant.app_id) == app_id)
        self.session.exec(delete(ConnectedApp).where(col(ConnectedApp.id) == app_id))

    def grants_of(self, person_id: uuid.UUID) -> Sequence[tuple[AppGrant, ConnectedApp]]:
        query = (
            select(AppGrant, ConnectedApp)
            .join(ConnectedApp, col(ConnectedApp.id) == col(AppGrant.app_id))
            .where(AppGrant.person_id == person_id)
        )
        return self.session.exec(query.order_by(col(AppGrant.given_at).desc(), col(AppGrant.id))).all()

    def hold(self, grant_id: uuid.UUID) -> bool:
        """Lock it until the end of the transaction; False if it was ended."""
        query = select(AppGrant.id).where(AppGrant.id == grant_id).with_for_update()
        return self.session.exec(query).first() is not None

    def end_grant(self, grant_id: uuid.UUID) -> None:
        self._end(col(AppGrant.id) == grant_id)

    def end_app_of(self, person_id: uuid.UUID, app_id: uuid.UUID) -> None:
        self._end(col(AppGrant.person_id) == person_id, col(AppGrant.app_id) == app_id)

    def end_all_of(self, person_id: uuid.UUID) -> None:
        self._end(col(AppGrant.person_id) == person_id)

    def find_secret(
        self, secret: str, kind: AppSecretKind, *, at: datetime
    ) -> tuple[AppSecret, AppGrant] | None:
        """The secret of that kind, unless it has expired, and the consent that it stands for."""
        query = (
            select(AppSecret, AppGrant)
            .join(AppGrant, col(AppGrant.id) == col(AppSecret.grant_id))
            .where(
                AppSecret.digest == digest_of(secret), AppSecret.kind == kind, col(AppSecret.expires_at) > at
            )
        )
        return self.session.exec(query).first()

    def use(self, secret_id: uuid.UUID, *, at: datetime) -> bool:
        """False if it was used before."""
        used = update(AppSecret).where(col(AppSecret.id) == secret_id, col(AppSecret.used_at).is_(None))
        return bool(self.session.exec(used.values(used_at=at)).rowcount)

    def remove_secret(self, secret_id: uuid.UUID) -> None:
        self.session.exec(delete(AppSecret).where(col(AppSecret.id) == secret_id))

    def sweep(self, *, at: datetime) -> None:
        """Expired secrets, and consents that no secret stands for any more."""
        self.session.exec(delete(AppSecret).where(col(AppSecret.expires_at) <= at))
        held = select(AppSecret.id).where(col(AppSecret.grant_id) == col(AppGrant.id)).exists()
        self.session.exec(delete(AppGrant).where(~held).execution_options(swept=True))

    def _end(self, *where: Any) -> None:
        ended = select(AppGrant.id).where(*where)
        self.session.exec(delete(AppSecret).where(col(AppSecret.grant_id).in_(ended)))
        self.session.exec(delete(AppGrant).where(*where))
