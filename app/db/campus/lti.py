"""Course platforms of a campus, their courses, linked accounts and launches."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import SQLModel, col, select

from app.db.engine.queries import Store
from app.domain.accounts.sessions import digest_of
from app.domain.campus.lti import LtiAccount, LtiCourse, LtiKey, LtiLaunch, LtiPlatform


class LtiStore(Store):
    def save(self, row: SQLModel) -> None:
        self.session.add(row)
        self.session.flush()

    # --- platforms

    def platforms(self, campus_id: uuid.UUID) -> Sequence[LtiPlatform]:
        """Those in use, the oldest first."""
        query = select(LtiPlatform).where(
            LtiPlatform.campus_id == campus_id, col(LtiPlatform.removed_at).is_(None)
        )
        return self.session.exec(query.order_by(col(LtiPlatform.created_at), col(LtiPlatform.id))).all()

    def platform(self, campus_id: uuid.UUID, platform_id: uuid.UUID) -> LtiPlatform | None:
        found = self.session.get(LtiPlatform, platform_id)
        return found if found and found.campus_id == campus_id and found.removed_at is None else None

    def forget_people_of(self, platform_id: uuid.UUID) -> None:
        """Links and launches of a platform that is no longer used."""
        for table in (LtiLaunch, LtiAccount):
            self.session.exec(delete(table).where(col(table.platform_id) == platform_id))

    # --- keys

    def keys(self, campus_id: uuid.UUID) -> Sequence[LtiKey]:
        """The newest first."""
        query = select(LtiKey).where(LtiKey.campus_id == campus_id)
        return self.session.exec(query.order_by(col(LtiKey.created_at).desc(), col(LtiKey.id))).all()

    def all_keys(self) -> Sequence[LtiKey]:
        return self.session.exec(select(LtiKey).order_by(col(LtiKey.id))).all()

    def remove_key(self, key: LtiKey) -> None:
        self.session.delete(key)
        self.session.flush()

    # --- courses

    def course(self, course_id: uuid.UUID) -> LtiCourse | None:
        return self.session.get(LtiCourse, course_id)

    def find_course(self, platform_id: uuid.UUID, deployment: str, context: str) -> LtiCourse | None:
        query = select(LtiCourse).where(
            LtiCourse.platform_id == platform_id,
            LtiCourse.deployment == deployment,
            LtiCourse.context == context,
        )
        return self.session.exec(query.with_for_update()).first()

    # --- people

    def account(self, platform_id: uuid.UUID, subject: str) -> LtiAccount | None:
        query = select(LtiAccount).where(LtiAccount.platform_id == platform_id, LtiAccount.subject == subject)
        return self.session.exec(query).first()

    def accounts(self, platform_id: uuid.UUID) -> Sequence[LtiAccount]:
        return self.session.exec(select(LtiAccount).where(LtiAccount.platform_id == platform_id)).all()

    def accounts_of(self, person_id: uuid.UUID) -> Sequence[tuple[LtiAccount, LtiPlatform]]:
        query = select(LtiAccount, LtiPlatform).join(
            LtiPlatform, col(LtiPlatform.id) == col(LtiAccount.platform_id)
        )
        query = query.where(LtiAccount.person_id == person_id, col(LtiPlatform.removed_at).is_(None))
        return self.session.exec(query.order_by(col(LtiAccount.linked_at), col(LtiAccount.id))).all()

    def remove_account(self, account: LtiAccount) -> None:
        self.session.delete(account)
        self.session.flush()

    # --- launches

    def launch(self, campus_id: uuid.UUID, secret: str) -> LtiLaunch | None:
        query = select(LtiLaunch).where(
            LtiLaunch.campus_id == campus_id, LtiLaunch.secret_digest == digest_of(secret)
        )
        return self.session.exec(query).first()

    def end_launch(self, launch: LtiLaunch) -> None:
        self.session.delete(launch)
        self.session.flush()

    def end_launches_of(self, account: LtiAccount) -> None:
        self.session.exec(
            delete(LtiLaunch).where(
                col(LtiLaunch.platform_id) == account.platform_id,
                col(LtiLaunch.subject) == account.subject,
            )
        )

    def sweep(self, campus_id: uuid.UUID, at: datetime) -> None:
        self.session.exec(
            delete(LtiLaunch).where(col(LtiLaunch.campus_id) == campus_id, col(LtiLaunch.expires_at) <= at)
        )
