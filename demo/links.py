"""The doors of the demo: one-time links for those who work there, and badges to look at."""

from __future__ import annotations

from app.cli.terminal import out, say
from app.container import Process, Services
from app.domain.awards.awards import AwardState, Visibility
from app.domain.campus.campus import Campus
from app.domain.people.people import Role
from app.errors import NotFound
from app.language import N_
from app.language import gettext as _
from demo.stage import BY_COMMAND

CAMPUS = "itip"


def sign_in_link(services: Services, campus: Campus, role: Role) -> str:
    """A fresh link that signs in the first person with that role, once."""
    person = services.people.first_with_role(campus, role)
    if person is None:
        raise NotFound(N_("Personne n’a ce rôle dans le campus {slug}."), slug=campus.slug)
    return services.addresses.sign_in_link(services.sign_in.make_link(person.id, by=BY_COMMAND))


def print_links(process: Process, slug: str = CAMPUS) -> None:
    """What a newcomer needs to play trainer, administrator, learner and employer."""
    with process.unit_of_work() as services:
        campus = services.campuses.find(slug)
        if campus is None:
            say(
                N_("Cette base n’est pas celle de la démonstration : il n’y a pas de campus « {slug} »."),
                slug=slug,
            )
            return
        sign_in = {
            _("Formation"): sign_in_link(services, campus, Role.TRAINER),
            _("Administration"): sign_in_link(services, campus, Role.CAMPUS_ADMIN),
        }
        if services.people.first_with_role(campus, Role.REVIEWER) is not None:
            sign_in[_("Examen des demandes")] = sign_in_link(services, campus, Role.REVIEWER)
        badges = _award_links(services, campus)
    say(
        N_("Pour se connecter au campus {campus} (chaque lien sert une fois, pendant dix minutes) :"),
        campus=campus.short_name,
    )
    _print_column(sign_in)
    if badges:
        say(N_("Pour voir un badge :"))
        _print_column(badges)


def _print_column(links: dict[str, str]) -> None:
    for label, link in links.items():
        out().print(f"  {label:<20}{link}", markup=False)


def _award_links(services: Services, campus: Campus) -> dict[str, str]:
    """The newest closed badge as its learner opens it, and the newest open one as an employer does."""
    records = services.awards.list_in(campus, limit=200)
    good = [record.award for record in records if record.award.state is AwardState.ISSUED]
    closed = next((award for award in good if award.visibility is Visibility.CLOSED), None)
    opened = next((award for award in good if award.visibility is Visibility.OPEN), None)
    links = {}
    if closed is not None:
        token = services.people.private_link_token(closed.id, closed.link_generation)
        links[_("En apprenant")] = services.addresses.private_link(token)
    if opened is not None:
        links[_("En employeur")] = services.addresses.award(opened.id)
    return links
