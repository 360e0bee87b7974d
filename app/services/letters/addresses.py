"""Letters about somebody's own addresses: to confirm one, and to tell the others that something changed."""

from __future__ import annotations

from app.db.people import PeopleStore
from app.db.sign_in import SignInStore
from app.domain.access import digest_of
from app.domain.addresses import Addresses
from app.domain.clock import Clock
from app.domain.letters import Letter, Occasion, PromisedLetter
from app.domain.own_addresses import Changed, address_code, address_token
from app.domain.people import Person
from app.domain.sign_in import Challenge
from app.language import N_, speaking
from app.language.typography import say
from app.services.letters.notice import Action, Notice, html_of, text_of

_SENDER = "Sceau"
_CHANGES = {
    Changed.ADDED: (
        N_("Une adresse de plus ouvre vos badges"),
        N_(
            "Une nouvelle adresse a été confirmée dans votre compte : une lettre envoyée là ouvre aussi vos badges."
        ),
    ),
    Changed.REMOVED: (
        N_("Une adresse a été retirée de votre compte"),
        N_("Une de vos adresses a été retirée de votre compte : elle n’ouvre plus vos badges."),
    ),
    Changed.MAIN: (
        N_("Votre adresse principale a changé"),
        N_("Une autre de vos adresses est maintenant la principale : c’est là que les campus vous écriront."),
    ),
    Changed.FIRST: (
        N_("Vos badges ont maintenant un compte"),
        N_("Quelqu’un, vous sans doute, a confirmé une adresse pour réunir et ouvrir vos badges."),
    ),
    Changed.MERGED: (
        N_("Deux dossiers à votre nom sont réunis"),
        N_("Les badges de deux dossiers à votre nom sont maintenant ensemble, dans un seul compte."),
    ),
}


class AddressLetters:
    def __init__(
        self, people: PeopleStore, challenges: SignInStore, addresses: Addresses, secret: bytes, clock: Clock
    ) -> None:
        self.people = people
        self.challenges = challenges
        self.addresses = addresses
        self.secret = secret
        self.clock = clock

    def written(self, letter: PromisedLetter) -> Letter | None:
        """None where there is nothing to say any more."""
        if letter.about_id is None:
            return None
        if letter.occasion == Occasion.ADDRESS_CONFIRM:
            return self._confirm(letter)
        person = self.people.get(letter.about_id)
        changed = Changed(letter.once_key.rpartition("/")[2].partition(".")[0])
        with speaking(person.language or "fr"):
            return _letter(letter, person, _changed(person, changed, self.addresses.own_addresses))

    def _confirm(self, letter: PromisedLetter) -> Letter | None:
        assert letter.about_id is not None
        token = address_token(self.secret, letter.about_id)
        challenge = self.challenges.find_challenge(token)
        if challenge is None or challenge.person_id is None or challenge.expires_at <= self.clock():
            return None
        person = self.people.get(challenge.person_id)
        with speaking(str(challenge.facts.get("language", "fr"))):
            return _letter(letter, person, self._confirms(person, challenge, token))

    def _confirms(self, person: Person, challenge: Challenge, token: str) -> Notice:
        code = address_code(self.secret, challenge.id)
        return _notice(
            person,
            subject=say(N_("Confirmez cette adresse pour vos badges")),
            lines=[
                say(
                    N_(
                        "Vous avez demandé que cette adresse ouvre vos badges. Confirmez-le dans le navigateur où "
                        "vous êtes connecté :"
                    )
                )
            ],
            action=Action(say(N_("Confirmer cette adresse")), self.addresses.confirm_address(token)),
            after=[
                say(
                    N_(
                        "Vous lisez cette lettre sur un autre appareil ? Tapez ce code dans « Mon compte » : {code}"
                    )
                ).format(code=code),
                say(N_("Le lien et le code valent vingt-quatre heures.")),
            ],
            small=[
                say(
                    N_(
                        "Vous n’avez rien demandé ? Ne faites rien, et ne donnez ce code à personne : sans lui, "
                        "cette adresse n’ouvre rien."
                    )
                )
            ],
        )


def _changed(person: Person, changed: Changed, url: str) -> Notice:
    subject, line = _CHANGES[changed]
    return _notice(
        person,
        subject=say(subject),
        lines=[say(line)],
        action=Action(say(N_("Voir mes adresses")), url),
        after=[],
        small=[
            say(
                N_(
                    "Ce n’était pas vous ? Retirez dans « Mon compte » ce que vous ne reconnaissez pas, et prévenez "
                    "le campus qui vous a donné un badge."
                )
            )
        ],
    )


def _notice(
    person: Person, *, subject: str, lines: list[str], action: Action, after: list[str], small: list[str]
) -> Notice:
    return Notice(
        subject=subject,
        greeting=say(N_("Bonjour {name},")).format(name=person.given_name or person.name),
        lines=lines,
        badges=[],
        action=action,
        after=after,
        small=small,
        campus=_SENDER,
        hue=250,
        liveliness=1,
    )


def _letter(letter: PromisedLetter, person: Person, notice: Notice) -> Letter:
    return Letter(
        to=letter.address,
        to_name=person.name,
        subject=notice.subject,
        text=text_of(notice),
        html=html_of(notice),
        sender_name=_SENDER,
        key=digest_of(letter.once_key)[:40],
        language=person.language or "fr",
    )
