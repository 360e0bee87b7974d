"""Who the issuer of a badge is, for programs: the register first, its own words second."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.services.verification import verdicts
from app.services.verification.issuer_standing import IssuerStanding, StandingKind


class IssuerLabelView(BaseModel):
    """A label of the issuer, as the network's signed list gives it."""

    id: str = Field(description="Where the label itself is, signed.")
    category: str
    valid_from: datetime | None
    valid_until: datetime | None = Field(description="The first moment at which it no longer holds.")


class LookalikeView(BaseModel):
    """A recognised issuer for which this one could be taken."""

    likeness: Literal["name", "host"]
    issuer: str
    name: str
    message: str


class IssuerStandingView(BaseModel):
    """Who the issuer is: by the registers of networks that this service believes, else by its own words."""

    kind: StandingKind
    message: str
    network: str | None = None
    list_url: str | None = Field(None, description="Where the network's signed list is.")
    known_as: str | None = Field(None, description="The name in the register.")
    says: str | None = Field(None, description="The name that the issuer gives itself; nobody checked it.")
    labels: list[IssuerLabelView]
    lookalike: LookalikeView | None = None

    @staticmethod
    def of(standing: IssuerStanding) -> IssuerStandingView:
        told = verdicts.standing_told(standing)
        return IssuerStandingView(
            kind=standing.kind,
            message=told.sentence.text(),
            network=standing.network or None,
            list_url=standing.list_url or None,
            known_as=standing.known_as or None,
            says=standing.says or None,
            labels=[
                IssuerLabelView(
                    id=each.url,
                    category=each.category,
                    valid_from=each.valid_from,
                    valid_until=each.valid_until,
                )
                for each in standing.labels
            ],
            lookalike=LookalikeView(
                likeness=standing.alike.likeness.value,
                issuer=standing.alike.known.id,
                name=standing.alike.known.name,
                message=told.warning.text() if told.warning else "",
            )
            if standing.alike
            else None,
        )
