"""A register as a file, to carry it to another service or keep it beside: what export writes, import reads."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.campus.campus import Label, LabelCategory, Network
from app.domain.campus.history import Actor
from app.errors import InvalidInput
from app.language import N_
from app.services.trust.network_register import Named, NetworkRegister
from sceau_credentials.trust import Standing

MOST_BYTES: Final = 4 * 1024 * 1024


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrittenLabel(_Written):
    category: LabelCategory
    starts_on: date | None = None
    ends_on: date | None = None
    note: str = Field("", max_length=300)


class WrittenEntry(_Written):
    issuer: str
    name: str
    short_name: str = Field("", max_length=20)
    domain: str = ""
    keys: tuple[str, ...] = ()
    standing: Standing = Standing.RECOGNISED
    reason: str = ""
    labels: Annotated[tuple[WrittenLabel, ...], Field(max_length=20)] = ()


class WrittenRegister(_Written):
    campuses: Annotated[tuple[WrittenEntry, ...], Field(max_length=2_000)]


def export_register(register: NetworkRegister, slug: str) -> str:
    """JSON, readable and writable by hand; withdrawn labels stay behind."""
    page = register.page(slug)
    written = WrittenRegister(
        campuses=tuple(
            WrittenEntry(
                issuer=row.issuer,
                name=row.name,
                short_name=row.short_name,
                domain=row.domain,
                keys=tuple(row.keys),
                standing=row.standing,
                reason=row.reason,
                labels=tuple(
                    WrittenLabel(
                        category=each.category, starts_on=each.starts_on, ends_on=each.ends_on, note=each.note
                    )
                    for each in page.labels.get(row.issuer, ())
                    if each.withdrawn_at is None
                ),
            )
            for row in page.entries
        )
    )
    return written.model_dump_json(indent=2) + "\n"


def import_register(register: NetworkRegister, network: Network, text: bytes, *, by: Actor) -> int:
    """How many campuses the file names. Read again it changes nothing; whoever it does not name stays as they are."""
    if len(text) > MOST_BYTES:
        raise InvalidInput(N_("Ce fichier est trop grand pour un registre."))
    try:
        written = WrittenRegister.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        raise InvalidInput(
            N_("Ce fichier n’est pas un registre : à « {place} », {fault}"),
            place=".".join(map(str, fault["loc"])) or "…",
            fault=fault["msg"],
        ) from error
    given = register.page(network.slug).labels
    for entry in written.campuses:
        named = Named(entry.issuer, entry.name, entry.short_name, entry.domain, entry.keys)
        row = register.write(network, named, by=by)
        if row.standing is not entry.standing:
            register.move(network, entry.issuer, entry.standing, entry.reason, by=by)
        known = {_facts(label) for label in given.get(entry.issuer, ()) if label.withdrawn_at is None}
        for label in entry.labels:
            if (label.category, label.starts_on, label.ends_on) not in known:
                register.give_label(
                    network,
                    entry.issuer,
                    label.category,
                    starts_on=label.starts_on,
                    ends_on=label.ends_on,
                    note=label.note,
                    by=by,
                )
    return len(written.campuses)


def _facts(label: Label) -> tuple[LabelCategory, date | None, date | None]:
    return label.category, label.starts_on, label.ends_on
