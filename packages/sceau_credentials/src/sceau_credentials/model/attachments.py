"""Parts of a credential: its status, schemas, proofs, refresh service and terms."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag, ValidationInfo, model_validator

from sceau_credentials.model.scalars import Iri, Text
from sceau_credentials.model.value import OpenBadgesValue, is_reading, problem

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
