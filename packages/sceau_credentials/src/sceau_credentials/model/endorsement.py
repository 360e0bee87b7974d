"""Issuers, the members of every credential, and endorsements."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Final, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from sceau_credentials.model.attachments import (
    SCHEMA_TYPE,
    BitstringStatusListEntry,
    CredentialSchema,
    CredentialStatus,
    Proof,
    RefreshService,
    Status,
    TermsOfUse,
)
from sceau_credentials.model.identity import Address, IdentifierEntry, PngOrSvg
from sceau_credentials.model.scalars import (
    Compactable,
    CompactJws,
    Date,
    DateTimeZ,
    Iri,
    Text,
    Types,
    holding,
)
from sceau_credentials.model.value import OpenBadgesValue, is_reading, problem
from sceau_credentials.values.vocabulary import (
    CONTEXT_EXTENSIONS,
    CONTEXT_OB_3_0_3,
    CONTEXT_V2,
    known_schema_urls,
)

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
