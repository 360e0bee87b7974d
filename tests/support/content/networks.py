"""A network that recognises campuses of the app, and its labels."""

from __future__ import annotations

from datetime import date

from app.container import Services
from app.domain.campus.campus import Campus, Label, LabelCategory, Network
from app.services.trust.network_register import Named
from tests.support.app import COMMAND

NETWORK = "bfc"


def network_of(services: Services, *members: Campus, recognises: bool = True) -> Network:
    """« Réseau BFC » with these campuses as members; listed in its register unless `recognises` is false."""
    network = services.campuses.create_network(Network(slug=NETWORK, name="Réseau BFC"), members, by=COMMAND)
    for campus in members if recognises else ():
        services.register.write(network, named(campus), by=COMMAND)
    return network


def named(campus: Campus) -> Named:
    return Named(campus.did, campus.name, campus.short_name)


def label(
    services: Services,
    network: Network,
    campus: Campus,
    starts_on: date | None = None,
    ends_on: date | None = None,
    category: LabelCategory = LabelCategory.EXCELLENCE,
) -> Label:
    return services.register.give_label(
        network, campus.did, category, starts_on=starts_on, ends_on=ends_on, by=COMMAND
    )
