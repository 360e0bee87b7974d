"""Every address under which the world finds us, built from the configured base URL alone (M12)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domain.publishing.short_addresses import short_code

_PORTFOLIO_PATH = re.compile(r"/portfolio/([0-9a-f-]{36})/?")
_SHORT_PATH = re.compile(r"/v/([^/]{1,40})/?")
_AWARD_PATH = re.compile(r"/attributions/([0-9a-f-]{36})(?:\.(?:json|jwt|png|svg|zip))?/?")


@dataclass(frozen=True)
class Addresses:
    base_url: str

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def campus(self, slug: str) -> str:
        return f"{self.base_url}/campus/{slug}"

    def network(self, slug: str) -> str:
        return f"{self.base_url}/reseau/{slug}"

    def trust_list(self, slug: str) -> str:
        """Where the signed list of the campuses that a network recognises is."""
        return f"{self.network(slug)}/campus-reconnus.json"

    def network_list(self, slug: str) -> str:
        """The status list of the labels that a network gave."""
        return f"{self.network(slug)}/statuts"

    def label(self, label_id: uuid.UUID) -> str:
        return f"{self.base_url}/labels/{label_id}"

    def log_origin(self, slug: str, epoch: int) -> str:
        """The name of a campus's activity log: its address without a scheme (C2SP tlog-checkpoint)."""
        return f"{self.host}/campus/{slug}/journal" + (f"/{epoch}" if epoch > 1 else "")

    def award(self, award_id: uuid.UUID) -> str:
        return f"{self.base_url}/attributions/{award_id}"

    def short(self, award_id: uuid.UUID) -> str:
        """Leads to the award's page, and is short enough to be typed off paper."""
        return f"{self.base_url}/v/{short_code(award_id)}"

    def short_in_print(self, award_id: uuid.UUID) -> str:
        """The same without its scheme, as people read and type it."""
        return f"{self.host}/v/{short_code(award_id)}"

    def portfolio(self, portfolio_id: uuid.UUID) -> str:
        return f"{self.base_url}/portfolio/{portfolio_id}"

    def evidence(self, award_id: uuid.UUID) -> str:
        return f"{self.base_url}/preuves/{award_id}"

    def badge(self, badge_id: uuid.UUID) -> str:
        return f"{self.base_url}/badges/{badge_id}"

    def version(self, badge_id: uuid.UUID, number: int) -> str:
        return f"{self.base_url}/badges/{badge_id}/v{number}"

    def picture(self, badge_id: uuid.UUID, number: int, form: str) -> str:
        return f"{self.version(badge_id, number)}/image.{form}"

    def status_list(self, list_id: uuid.UUID) -> str:
        return f"{self.base_url}/statuts/{list_id}"

    @property
    def older_awards(self) -> str:
        """Where every address of an award in Open Badges 2.0 begins."""
        return f"{self.base_url}/ob2/attributions/"

    def older_award(self, award_id: uuid.UUID) -> str:
        return f"{self.older_awards}{award_id}"

    def older_version(self, badge_id: uuid.UUID, number: int) -> str:
        return f"{self.base_url}/ob2/badges/{badge_id}/v{number}"

    def older_campus(self, slug: str) -> str:
        return f"{self.base_url}/ob2/campus/{slug}"

    def private_link(self, token: str) -> str:
        return f"{self.base_url}/recevoir/{token}"

    def my_badge(self, award_id: uuid.UUID) -> str:
        """Where a person with an account sees and governs one badge."""
        return f"{self.base_url}/mes-badges/{award_id}"

    @property
    def claiming(self) -> str:
        """Where a short code is typed."""
        return f"{self.base_url}/recuperer"

    def request(self, token: str) -> str:
        """Where somebody follows what they asked for."""
        return f"{self.base_url}/demandes/{token}"

    def requests_of(self, slug: str) -> str:
        """Where reviewers find what waits for them."""
        return f"{self.base_url}/gestion/{slug}/demandes"

    def parent(self, token: str) -> str:
        """Where a parent reads what would be public, and answers."""
        return f"{self.base_url}/parent/{token}"

    def archive(self, token: str) -> str:
        """Where somebody takes along all that is held about them."""
        return f"{self.base_url}/archive/{token}"

    def erasure(self, token: str) -> str:
        """Where somebody confirms that all about them is to go."""
        return f"{self.base_url}/effacement/{token}"

    def erasure_proof(self, erasure_id: uuid.UUID) -> str:
        """Where the proof of an erasure is read; only who is told its number finds it."""
        return f"{self.base_url}/effacements/{erasure_id}"

    def organisation(self, organisation_id: uuid.UUID) -> str:
        return f"{self.base_url}/organisations/{organisation_id}"

    def organisation_list(self, organisation_id: uuid.UUID) -> str:
        """The status list of what an organisation signed here."""
        return f"{self.organisation(organisation_id)}/statuts"

    def organisation_desk(self, token: str) -> str:
        """Where somebody of an organisation finds all that it said here."""
        return f"{self.base_url}/organisations/gerer/{token}"

    def endorsement(self, endorsement_id: uuid.UUID) -> str:
        return f"{self.base_url}/recommandations/{endorsement_id}"

    def endorse(self, token: str) -> str:
        """Where somebody of an organisation reads what they are asked to endorse, and signs."""
        return f"{self.base_url}/recommander/{token}"

    def withdraw_endorsement(self, token: str) -> str:
        return f"{self.base_url}/recommandations/retirer/{token}"

    def reminders(self, token: str) -> str:
        return f"{self.base_url}/rappels/{token}"

    def sign_in_link(self, secret: str) -> str:
        return f"{self.base_url}/connexion/{secret}"

    @property
    def account(self) -> str:
        return f"{self.base_url}/compte"

    @property
    def own_name(self) -> str:
        return f"{self.account}/nom"

    @property
    def own_addresses(self) -> str:
        return f"{self.account}/adresses"

    def confirm_address(self, token: str) -> str:
        return f"{self.own_addresses}/confirmer/{token}"

    def sign_in_service(self, name: str) -> str:
        """Where another sign-in service sends the browser back to."""
        return f"{self.base_url}/connexion/service/{name}/retour"

    def invitation(self, token: str) -> str:
        return f"{self.base_url}/invitation/{token}"

    def verifier(self) -> str:
        return f"{self.base_url}/verifier"

    def is_ours(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}".lower() == self.base_url.lower()

    def award_named_by(self, url: str) -> uuid.UUID | None:
        """The award whose page or file `url` is, if it is one of ours."""
        return self._named_by(url, _AWARD_PATH)

    def portfolio_named_by(self, url: str) -> uuid.UUID | None:
        return self._named_by(url, _PORTFOLIO_PATH)

    def code_named_by(self, url: str) -> str:
        """The twelve signs of a short address of ours, as typed; empty for anything else."""
        try:
            path = urlsplit(url.strip()).path if self.is_ours(url.strip()) else ""
        except ValueError:
            return ""
        found = _SHORT_PATH.fullmatch(path)
        return found.group(1) if found else ""

    def _named_by(self, url: str, path: re.Pattern[str]) -> uuid.UUID | None:
        found = path.fullmatch(urlsplit(url.strip()).path) if self.is_ours(url.strip()) else None
        try:
            return uuid.UUID(found.group(1)) if found else None
        except ValueError:
            return None
