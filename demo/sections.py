"""What every table of a demo file is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9-]+$")]  # campus/slug
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
ExampleAddress = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9.-]+@(exemple\.fr|exemple\.org|example\.org)$")
]


class Section(BaseModel):
    """A table of a TOML file: an unknown or misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
