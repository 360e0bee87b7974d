"""The letter to somebody whose campus does not write another name in their badges: its reason, and what stays."""

from __future__ import annotations

from app.db.campus.campus import CampusStore
from app.db.people.names import NameStore
from app.db.people.people import PeopleStore
from app.domain.campus.campus import Campus
from app.domain.messages.letters import Letter, PromisedLetter
from app.domain.people.names import NameWish
from app.domain.people.people import Person
from app.domain.publishing.addresses import Addresses
from app.language import N_, speaking
from app.language.typography import say
from app.services.messages.notice import Action, Notice, carrying


class NameLetters:
    def __init__(
        self, names: NameStore, people: PeopleStore, campuses: CampusStore, addresses: Addresses
    ) -> None:
        self.names = names
        self.people = people
        self.campuses = campuses
        self.addresses = addresses

    def written(self, letter: PromisedLetter) -> Letter | None:
        """None where there is nothing to say any more."""
        wish = self.names.find(letter.about_id) if letter.about_id else None
        if wish is None or wish.decided_at is None or wish.accepted:
            return None
        person, campus = self.people.get(wish.person_id), self.campuses.get_by_id(wish.campus_id)
        language = person.language or campus.language
        with speaking(language):
            notice = _refused(wish, person, campus, self.addresses.own_name)
            return carrying(notice, letter, language=language, to_name=person.name, campus=campus)


def _refused(wish: NameWish, person: Person, campus: Campus, link: str) -> Notice:
    return Notice(
        subject=say(N_("Votre nom dans les badges du campus {campus}")).format(campus=campus.short_name),
        greeting=say(N_("Bonjour {name},")).format(name=person.given_name or person.name),
        lines=[
            say(
                N_(
                    "Vous avez demandé au campus {campus} d’écrire « {name} » dans vos badges. Il ne le fait pas. La raison :"
                )
            ).format(campus=campus.name, name=wish.name),
            say(N_("« {said} »")).format(said=wish.answer),
            say(N_("Vos badges restent valables, et disent toujours le même nom.")),
        ],
        badges=[],
        action=Action(say(N_("Voir ma demande")), link),
        after=[say(N_("Vous pouvez demander de nouveau, en expliquant davantage."))],
        small=[say(N_("Cette raison n’est montrée qu’à vous."))],
        campus=say(N_("Campus {name}")).format(name=campus.name),
        hue=campus.hue,
        liveliness=campus.liveliness,
    )
