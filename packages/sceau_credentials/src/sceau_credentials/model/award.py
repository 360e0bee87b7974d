"""An achievement earned by a person, with evidence and results: the badge itself."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import ValidationInfo, model_validator

from sceau_credentials.model.achievement import Achievement, Alignment, ResultDescription
from sceau_credentials.model.endorsement import EndorsementCredential, Profile, VerifiableCredential
from sceau_credentials.model.identity import IdentityObject, Image, PngOrSvg
from sceau_credentials.model.scalars import CompactJws, DateTime, Iri, Number, Text, Types, holding, one_of
from sceau_credentials.model.value import OpenBadgesValue, is_reading, problem

_STATUSES = one_of(
    "Completed Enrolled Failed InProgress OnHold Provisional Withdrew", extensible=False
)


class Evidence(OpenBadgesValue):
    """Evidence of the achievement: a page, a file, or text."""

    id: Iri | None = None
    type: Annotated[Types, holding("Evidence")] = ("Evidence",)
    name: Text | None = None
    description: Text | None = None
    narrative: Text | None = None
    genre: Text | None = None
    audience: Text | None = None


class Result(OpenBadgesValue):
    """The outcome for one `ResultDescription` of the achievement: a value, a level or a status."""

    type: Annotated[Types, holding("Result")] = ("Result",)
    achieved_level: Iri | None = None
    alignment: tuple[Alignment, ...] = ()
    result_description: Iri | None = None
    status: Annotated[Text, _STATUSES] | None = None
    value: Text | None = None


class AchievementSubject(OpenBadgesValue):
    """The person who earned the achievement, and how."""

    id: Iri | None = None
    type: Annotated[Types, holding("AchievementSubject")] = ("AchievementSubject",)
    identifier: tuple[IdentityObject, ...] = ()
    achievement: Achievement
    activity_start_date: DateTime | None = None
    activity_end_date: DateTime | None = None
    credits_earned: Number | None = None
    image: PngOrSvg | None = None
    license_number: Text | None = None
    narrative: Text | None = None
    result: tuple[Result, ...] = ()
    role: Text | None = None
    source: Profile | None = None
    term: Text | None = None

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if self.id is None and not self.identifier:
            raise problem("recipient_missing")
        return self

    @model_validator(mode="after")
    def _results_are_described(self, info: ValidationInfo) -> Self:
        descriptions = {each.id: each for each in self.achievement.result_description}
        for index, result in enumerate(self.result):
            if result.result_description is None:
                continue
            description = descriptions.get(result.result_description)
            if description is None:
                raise problem("result_not_described", "result", index, "resultDescription")
            _check_result(result, description, index, reading=is_reading(info))
        return self


def _check_result(result: Result, description: ResultDescription, index: int, *, reading: bool) -> None:
    if description.result_type == "Status" and result.status is None:
        raise problem("result_status_missing", "result", index, "status")
    level = result.achieved_level
    if not reading and level is not None and level not in description.level_ids:
        raise problem("level_not_described", "result", index, "achievedLevel")


class OpenBadgeCredential(VerifiableCredential):
    """An award: a signed claim that a person earned an achievement (a.3)."""

    class_names: ClassVar[frozenset[str]] = frozenset({"OpenBadgeCredential", "AchievementCredential"})

    type: Annotated[Types, holding("VerifiableCredential")] = ("VerifiableCredential", "OpenBadgeCredential")
    image: Image | None = None
    credential_subject: AchievementSubject
    endorsement: tuple[EndorsementCredential, ...] = ()
    endorsement_jwt: tuple[CompactJws, ...] = ()
    evidence: tuple[Evidence, ...] = ()
