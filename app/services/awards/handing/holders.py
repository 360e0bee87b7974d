"""Is this person the holder? And: ask the campus. What an employer may do beyond reading an open badge."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.campus.history import HistoryStore
from app.db.people.people import PeopleStore
from app.domain.campus.history import Actor, HistoryEntry
from app.domain.core.clock import Clock
from app.domain.messages.letters import Letter, LetterFile
from app.domain.people.identity_codes import are_digits, digits_of, is_living_ticket, new_ticket
from app.domain.people.people import is_address, normal_address
from app.domain.publishing.addresses import Addresses
from app.errors import InvalidInput, NotAllowed
from app.language import N_, speaking
from app.language import gettext as _
from app.services.publishing.publication import PublicationService

LONGEST_QUESTION = 1_000
_VISITOR = Actor(label="visitor")
_CHECK = "check_address"


@dataclass(frozen=True)
class SentCode:
    """`ticket` stays on the page that asked; `letter` is None where the campus knows no address of the holder."""

    ticket: str
    letter: Letter | None


class HolderService:
    def __init__(
        self,
        awards: AwardStore,
        people: PeopleStore,
        publication: PublicationService,
        history: HistoryStore,
        addresses: Addresses,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.awards = awards
        self.people = people
        self.publication = publication
        self.history = history
        self.addresses = addresses
        self.secret = secret
        self.clock = clock

    def is_known_at(self, award_id: uuid.UUID, address: str) -> bool:
        """Whether the holder of an open award is known under that address, in constant time for each.

        Only while the holder has switched it on; they read of each check, whatever the answer.
        """
        record = self.publication.open_award(award_id)
        if not record.award.answers_checks:
            raise NotAllowed(
                N_(
                    "La personne n’a pas permis de comparer une adresse pour ce badge. Faites-lui lire un code."
                )
            )
        wanted = _checked(address).encode()
        known = [each.encode() for each in self.people.all_addresses(record.person.id)]
        is_known = sum(hmac.compare_digest(each, wanted) for each in known) > 0
        self.history.write(
            _VISITOR,
            _CHECK,
            "award",
            award_id,
            at=self.clock(),
            campus_id=record.campus.id,
            known=is_known,
        )
        return is_known

    def checks_of(self, award_id: uuid.UUID) -> list[HistoryEntry]:
        """Every comparison of an address for this badge, the latest first."""
        found = [entry for entry, _ in self.history.list_of("award", award_id) if entry.deed == _CHECK]
        return sorted(found, key=lambda entry: entry.at, reverse=True)

    def send_code(self, award_id: uuid.UUID) -> SentCode:
        """Six digits for the holder's own address, to be read out within ten minutes."""
        record = self.publication.open_award(award_id)
        ticket = new_ticket(self.secret, award_id, at=self.clock())
        address = self.people.addresses_of([record.person.id]).get(record.person.id, "")
        if not address:
            return SentCode(ticket, None)
        with speaking(record.person.language or record.campus.language):
            return SentCode(ticket, self._code_letter(record, address, digits_of(self.secret, ticket)))

    def is_read_out(self, award_id: uuid.UUID, ticket: str, typed: str) -> bool:
        self.publication.open_award(award_id)
        if not is_living_ticket(self.secret, ticket, award_id, at=self.clock()):
            raise InvalidInput(N_("Ce code a expiré : il vaut dix minutes. Envoyez-en un autre."))
        return are_digits(self.secret, ticket, typed)

    def question(self, award_id: uuid.UUID, address: str, words: str) -> Letter:
        """A letter to the campus with the badge attached; its answer goes to `address`."""
        record = self.publication.open_award(award_id)
        asker, words = _checked(address), words.strip()
        if not words:
            raise InvalidInput(N_("Écrivez votre question."))
        if len(words) > LONGEST_QUESTION:
            raise InvalidInput(N_("Votre question dépasse {most} signes."), most=LONGEST_QUESTION)
        if not is_address(record.campus.contact_email):
            raise InvalidInput(N_("Ce campus n’a pas publié d’adresse où lui écrire."))
        with speaking(record.campus.language):
            return Letter(
                to=record.campus.contact_email,
                subject=_("Question sur un badge : {title}").format(title=record.version.name),
                text=_(
                    "Bonjour,\n\n{asker} regarde un badge du campus et demande :\n\n{words}\n\n"
                    "Le badge : {address}\nLe fichier signé est joint. Répondez à cette lettre : votre réponse "
                    "ira à {asker}."
                ).format(asker=asker, words=words, address=self.addresses.award(award_id)),
                reply_to=asker,
                language=record.campus.language,
                files=(LetterFile("badge.json", self.awards.document_of(award_id).embedded),),
            )

    def _code_letter(self, record: AwardRecord, address: str, digits: str) -> Letter:
        return Letter(
            to=address,
            to_name=record.person.name,
            subject=_("{digits} : le code à lire à qui regarde votre badge").format(digits=digits),
            text=_(
                "Bonjour {name},\n\nQuelqu’un regarde votre badge « {title} » et veut s’assurer que c’est bien "
                "vous. Si vous êtes en face de cette personne, ou au téléphone avec elle, lisez-lui ce code :\n\n"
                "{digits}\n\nIl vaut dix minutes. Ne le donnez à personne d’autre. Si vous n’attendez rien, ne "
                "faites rien : personne n’apprend votre adresse."
            ).format(name=record.person.given_name, title=record.version.name, digits=digits),
        )


def _checked(address: str) -> str:
    if not is_address(normal_address(address)):
        raise InvalidInput(N_("Cette adresse n’est pas complète : il y manque quelque chose."))
    return normal_address(address)
