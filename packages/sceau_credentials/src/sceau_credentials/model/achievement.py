"""The definition of a badge, its criteria, alignments and possible results."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag, ValidationInfo, model_validator

from sceau_credentials.model.value import (
    ClosedValue,
    Compactable,
    CompactJws,
    Date,
    DateTime,
    DateTimeZ,
    Flag,
    Iri,
    LanguageCode,
    Number,
    OpenBadgesValue,
    Text,
    Types,
    holding,
    is_reading,
    one_of,
    problem,
)
from sceau_credentials.values import CONTEXT_EXTENSIONS, CONTEXT_OB_3_0_3, CONTEXT_V2, known_schema_urls

# --- Names, numbers, addresses and pictures of people and organisations

_HASH: Final = re.compile(r"sha256\$[0-9A-Fa-f]{64}|md5\$[0-9A-Fa-f]{32}")
_PICTURE_DATA: Final = re.compile(r"data:image/(png|svg\+xml)[;,]", re.IGNORECASE)

IdentifierType: TypeAlias = Annotated[
    Text,
    one_of(
        "name sourcedId systemId productId userName accountId emailAddress nationalIdentityNumber isbn issn "
        "lisSourcedId oneRosterSourcedId sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId "
        "ltiUserId identifier"
    ),
]


class Image(ClosedValue):
    """A picture by its URL or data URI; never a bare string (A-063)."""

    id: Iri
    type: Literal["Image"] = "Image"
    caption: Text | None = None


def _png_or_svg(image: Image) -> Image:
    if image.id[:5].lower() == "data:" and not _PICTURE_DATA.match(image.id):
        raise problem("not_png_or_svg", "id")
    return image


PngOrSvg = Annotated[Image, AfterValidator(_png_or_svg)]
"""An image that must be PNG or SVG; only a data URI declares its type."""


class IdentityObject(ClosedValue):
    """The recipient by another identifier than an id, hashed or in plain text."""

    type: Literal["IdentityObject"] = "IdentityObject"
    hashed: Flag
    identity_hash: Text
    identity_type: IdentifierType
    salt: Text | None = None

    @model_validator(mode="after")
    def _hash_has_its_form(self) -> Self:
        if self.hashed and not _HASH.fullmatch(self.identity_hash):
            raise problem("identity_hash", "identityHash")
        return self


class IdentifierEntry(ClosedValue):
    """An identifier of an organisation, an achievement or a person, assigned by another system (A-056)."""

    type: Literal["IdentifierEntry"] = "IdentifierEntry"
    identifier: Text
    identifier_type: IdentifierType


class GeoCoordinates(OpenBadgesValue):
    """A location, in degrees (WGS 84)."""

    type: Literal["GeoCoordinates"] = "GeoCoordinates"
    latitude: Number
    longitude: Number


class Address(OpenBadgesValue):
    """A postal address."""

    type: Annotated[Types, holding("Address")] = ("Address",)
    address_country: Text | None = None
    address_country_code: Text | None = None
    address_region: Text | None = None
    address_locality: Text | None = None
    street_address: Text | None = None
    post_office_box_number: Text | None = None
    postal_code: Text | None = None
    geo: GeoCoordinates | None = None


# --- Parts of a credential: its status, schemas, proofs, refresh service and terms

SCHEMA_TYPE: Final = "1EdTechJsonSchemaValidator2019"
_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,15}")


class Proof(OpenBadgesValue):
    """A proof as written; its own suite validates the content."""

    type: Text


class CredentialSchema(OpenBadgesValue):
    """A JSON Schema that the credential follows, by its URL."""

    id: Iri
    type: Text = SCHEMA_TYPE


class RefreshService(OpenBadgesValue):
    """Service that returns a newer edition of the credential."""

    id: Iri
    type: Text


class TermsOfUse(OpenBadgesValue):
    """The terms under which the credential was issued."""

    id: Iri | None = None
    type: Text


class CredentialStatus(OpenBadgesValue):
    """A status of another method than the bit string."""

    id: Iri | None = None
    type: Text


def _index(value: str | int, info: ValidationInfo) -> str | int:
    """D-001: base-10 text. D-003: numbers occur in the wild; a signature may cover them as they are."""
    if isinstance(value, int) and not is_reading(info):
        raise problem("status_list_index")
    if not _DIGITS.fullmatch(str(value)):
        raise problem("status_list_index")
    return value


_Index: TypeAlias = Annotated[
    Annotated[str, Strict(), Tag("~text")] | Annotated[int, Strict(), Tag("~number")],
    Discriminator(lambda value: "~number" if type(value) is int else "~text"),
    AfterValidator(_index),
]


class BitstringStatusListEntry(OpenBadgesValue):
    """One position in a published list of bits."""

    id: Iri | None = None
    type: Literal["BitstringStatusListEntry"] = "BitstringStatusListEntry"
    status_purpose: Text
    status_list_index: _Index
    status_list_credential: Iri
    status_size: Annotated[int, Strict(), Field(gt=0, le=32)] | None = None

    @property
    def position(self) -> int:
        return int(self.status_list_index)

    @model_validator(mode="after")
    def _id_is_not_the_list(self) -> Self:
        if self.id is not None and self.id == self.status_list_credential:  # D-002
            raise problem("status_id_is_the_list", "id")
        return self

    @model_validator(mode="after")
    def _wide_entries_say_what_they_mean(self) -> Self:
        messages = (self.model_extra or {}).get("statusMessage")
        wide = self.status_size is not None and self.status_size > 1
        if wide and not (
            isinstance(messages, list) and len(messages) == 2 ** (self.status_size or 1)
        ):  # D-006
            raise problem("status_message_missing", "statusMessage")
        return self


def _status_form(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "~several"
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "~bits" if kind == "BitstringStatusListEntry" else "~other"


_OneStatus: TypeAlias = Annotated[
    Annotated[BitstringStatusListEntry, Tag("~bits")] | Annotated[CredentialStatus, Tag("~other")],
    Discriminator(_status_form),
]


def _several_only_when_reading(
    entries: tuple[BitstringStatusListEntry | CredentialStatus, ...], info: ValidationInfo
) -> tuple[BitstringStatusListEntry | CredentialStatus, ...]:
    """A-031: one entry. The data model of W3C allows several, and they occur."""
    if not is_reading(info):
        raise problem("several_statuses")
    return entries


Status: TypeAlias = Annotated[
    Annotated[BitstringStatusListEntry, Tag("~bits")]
    | Annotated[CredentialStatus, Tag("~other")]
    | Annotated[tuple[_OneStatus, ...], AfterValidator(_several_only_when_reading), Tag("~several")],
    Discriminator(_status_form),
]


# --- Issuers, the members of every credential, and endorsements

_OPEN_BADGES_CONTEXT: Final = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json"
)


class Profile(OpenBadgesValue):
    """A person or an organisation."""

    id: Iri
    type: Annotated[Types, holding("Profile")] = ("Profile",)
    name: Text | None = None
    url: Iri | None = None
    phone: Text | None = None
    description: Text | None = None
    endorsement: tuple[EndorsementCredential, ...] = ()
    endorsement_jwt: tuple[CompactJws, ...] = ()
    image: PngOrSvg | None = None
    email: Text | None = None
    address: Address | None = None
    other_identifier: tuple[IdentifierEntry, ...] = ()
    official: Text | None = None
    parent_org: Profile | None = None
    family_name: Text | None = None
    given_name: Text | None = None
    additional_name: Text | None = None
    patronymic_name: Text | None = None
    honorific_prefix: Text | None = None
    honorific_suffix: Text | None = None
    family_name_prefix: Text | None = None
    date_of_birth: Date | None = None


ProfileRef: TypeAlias = Annotated[
    Annotated[Profile, Tag("~profile")] | Annotated[Iri, Tag("~iri")],
    Discriminator(lambda value: "~iri" if isinstance(value, str) else "~profile"),
]


_Context: TypeAlias = Annotated[
    Annotated[Text, Tag("~url")] | Annotated[dict[str, Any], Tag("~object")],
    Discriminator(lambda value: "~object" if isinstance(value, dict) else "~url"),
]


def _check_contexts(contexts: tuple[str | dict[str, Any], ...], info: ValidationInfo) -> tuple[Any, ...]:
    if len(contexts) < 2 or contexts[0] != CONTEXT_V2:
        raise problem("context_order")
    second = contexts[1]
    if is_reading(info):
        if not isinstance(second, str) or not _OPEN_BADGES_CONTEXT.fullmatch(second):
            raise problem("context_order")
    elif second != CONTEXT_OB_3_0_3 or not all(isinstance(item, str) for item in contexts):
        raise problem("context_order")
    return contexts


class VerifiableCredential(OpenBadgesValue):
    """What awards and endorsements have in common."""

    class_names: ClassVar[frozenset[str]] = frozenset()

    context: Annotated[tuple[_Context, ...], Field(alias="@context"), AfterValidator(_check_contexts)] = (
        CONTEXT_V2,
        CONTEXT_OB_3_0_3,
    )
    id: Iri
    type: Annotated[Types, holding("VerifiableCredential")]
    name: Text | None = None
    description: Text | None = None
    issuer: ProfileRef
    valid_from: DateTimeZ
    valid_until: DateTimeZ | None = None
    awarded_date: DateTimeZ | None = None
    credential_schema: Annotated[tuple[CredentialSchema, ...], Compactable] = ()
    credential_status: Status | None = None
    refresh_service: RefreshService | None = None
    terms_of_use: Annotated[tuple[TermsOfUse, ...], Compactable] = ()
    proof: Annotated[tuple[Proof, ...], Compactable] = ()

    @property
    def issuer_id(self) -> str:
        return self.issuer if isinstance(self.issuer, str) else self.issuer.id

    @property
    def statuses(self) -> tuple[BitstringStatusListEntry | CredentialStatus, ...]:
        status = self.credential_status
        if status is None:
            return ()
        return status if isinstance(status, tuple) else (status,)

    @model_validator(mode="after")
    def _types_name_the_class(self) -> Self:
        if self.class_names.isdisjoint(self.type):
            raise problem("wrong_class", "type")
        return self

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:  # J-001
            raise problem("ends_before_it_begins", "validUntil")
        return self

    @model_validator(mode="after")
    def _schemas_and_extensions_are_complete(self, info: ValidationInfo) -> Self:
        """A-015, A-030: checked when writing; when reading, signature and policy decide."""
        if is_reading(info):
            return self
        if self.credential_schema and not any(
            schema.type == SCHEMA_TYPE and schema.id in known_schema_urls()
            for schema in self.credential_schema
        ):
            raise problem("open_badges_schema_missing", "credentialSchema")
        if _EXTENSION_TYPES & self._attached_types() and CONTEXT_EXTENSIONS not in self.context:
            raise problem("extensions_context_missing", "@context")
        return self

    def _attached_types(self) -> set[str]:
        attached = [
            *self.credential_schema,
            *self.statuses,
            *([self.refresh_service] if self.refresh_service else []),
        ]
        return {part.type for part in attached}


_EXTENSION_TYPES: Final = frozenset({SCHEMA_TYPE, "1EdTechRevocationList", "1EdTechCredentialRefresh"})


class EndorsementSubject(OpenBadgesValue):
    """The endorsed subject, and the endorsement comment."""

    id: Iri
    type: Annotated[Types, holding("EndorsementSubject")] = ("EndorsementSubject",)
    endorsement_comment: Text | None = None


class EndorsementCredential(VerifiableCredential):
    """A signed endorsement of an achievement, an award or a profile (A-075)."""

    class_names: ClassVar[frozenset[str]] = frozenset({"EndorsementCredential"})

    type: Annotated[Types, holding("VerifiableCredential")] = (
        "VerifiableCredential",
        "EndorsementCredential",
    )
    name: Text
    credential_subject: EndorsementSubject


# --- achievement

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


# --- An achievement earned by a person, with evidence and results: the badge itself

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
