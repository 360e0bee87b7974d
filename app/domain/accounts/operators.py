"""Operators: people who open campuses on this service, and see nothing of what campuses hold."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, part_of


class Operator(SQLModel, table=True):
    __tablename__ = "operator"
    person_id: uuid.UUID = Field(sa_column=part_of("person"))
    since: datetime = Field(sa_column=moment())
