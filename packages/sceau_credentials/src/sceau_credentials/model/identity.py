"""Names, numbers, addresses and pictures of people and organisations."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, model_validator

from sceau_credentials.model.scalars import Flag, Iri, Number, Text, Types, holding, one_of
from sceau_credentials.model.value import ClosedValue, OpenBadgesValue, problem

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
