"""The definition of a badge, its criteria, alignments and possible results."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ValidationInfo, model_validator

from sceau_credentials.model.endorsement import EndorsementCredential, Profile
from sceau_credentials.model.identity import IdentifierEntry, Image
from sceau_credentials.model.scalars import (
    CompactJws,
    Iri,
    LanguageCode,
    Number,
    Text,
    Types,
    holding,
    one_of,
)
from sceau_credentials.model.value import OpenBadgesValue, is_reading, problem

_TARGET_TYPES = one_of(
    "ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL"
)
_RESULT_TYPES = one_of(
    "GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result RubricCriterion "
    "RubricCriterionLevel RubricScore ScaledScore Status"
)
_ACHIEVEMENT_TYPES = one_of(
    "Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge BachelorDegree "
    "Certificate CertificateOfCompletion Certification CommunityService Competency Course CoCurricular Degree "
    "Diploma DoctoralDegree Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram License "
    "Membership ProfessionalDoctorate QualityAssuranceCredential MasterCertificate MasterDegree MicroCredential "
    "ResearchDoctorate SecondarySchoolDiploma"
)


class Criteria(OpenBadgesValue):
    """The requirements for the achievement: text (Markdown), the URL of a page, or both."""

    id: Iri | None = None
    narrative: Text | None = None

    @model_validator(mode="after")
    def _says_something(self, info: ValidationInfo) -> Self:
        if not is_reading(info) and self.id is None and self.narrative is None:
            raise problem("criteria_missing")
        return self


class Alignment(OpenBadgesValue):
    """A reference from an achievement to a framework's item."""

    type: Annotated[Types, holding("Alignment")] = ("Alignment",)
    target_name: Text
    target_url: Iri
    target_code: Text | None = None
    target_description: Text | None = None
    target_framework: Text | None = None
    target_type: Annotated[Text, _TARGET_TYPES] | None = None


class Related(OpenBadgesValue):
    """Another version or another language of the same achievement (A-062)."""

    id: Iri
    type: Annotated[Types, holding("Related")] = ("Related",)
    in_language: LanguageCode | None = None
    version: Text | None = None


class RubricCriterionLevel(OpenBadgesValue):
    """One level of a rubric, which a result may name as reached."""

    id: Iri
    type: Annotated[Types, holding("RubricCriterionLevel")] = ("RubricCriterionLevel",)
    name: Text
    alignment: tuple[Alignment, ...] = ()
    description: Text | None = None
    level: Text | None = None
    points: Text | None = None


class ResultDescription(OpenBadgesValue):
    """One measured result, and its possible values."""

    id: Iri
    type: Annotated[Types, holding("ResultDescription")] = ("ResultDescription",)
    name: Text
    result_type: Annotated[Text, _RESULT_TYPES]
    alignment: tuple[Alignment, ...] = ()
    allowed_value: tuple[Text, ...] = ()
    required_level: Iri | None = None
    required_value: Text | None = None
    rubric_criterion_level: tuple[RubricCriterionLevel, ...] = ()
    value_max: Text | None = None
    value_min: Text | None = None

    @property
    def level_ids(self) -> frozenset[str]:
        return frozenset(level.id for level in self.rubric_criterion_level)

    @model_validator(mode="after")
    def _requirements_can_be_met(self, info: ValidationInfo) -> Self:
        """A-073: checked only when writing."""
        if is_reading(info):
            return self
        if self.required_level is not None and self.required_level not in self.level_ids:
            raise problem("level_not_described", "requiredLevel")
        if (
            self.required_value is not None
            and self.allowed_value
            and self.required_value not in self.allowed_value
        ):
            raise problem("value_not_allowed", "requiredValue")
        return self


class Achievement(OpenBadgesValue):
    """The definition of a badge."""

    id: Iri
    type: Annotated[Types, holding("Achievement")] = ("Achievement",)
    name: Text
    description: Text
    criteria: Criteria
    achievement_type: Annotated[Text, _ACHIEVEMENT_TYPES] | None = None
    alignment: tuple[Alignment, ...] = ()
    creator: Profile | None = None
    credits_available: Number | None = None
    endorsement: tuple[EndorsementCredential, ...] = ()
    endorsement_jwt: tuple[CompactJws, ...] = ()
    field_of_study: Text | None = None
    human_code: Text | None = None
    image: Image | None = None
    in_language: LanguageCode | None = None
    other_identifier: tuple[IdentifierEntry, ...] = ()
    related: tuple[Related, ...] = ()
    result_description: tuple[ResultDescription, ...] = ()
    specialization: Text | None = None
    tag: tuple[Text, ...] = ()
    version: Text | None = None
