"""Signing keys in a PKCS#11 token: made there, used there, never read out of it.

Ed25519 only (CKM_EDDSA of PKCS#11 3.0): Sceau signs with it alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs, unquote

from cryptography.hazmat.primitives.asymmetric import ed25519

from app.domain.campus.campus import HSM_SCHEME
from app.errors import Unavailable
from app.language import N_
from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys import VerificationKey

if TYPE_CHECKING:
    from pkcs11 import PrivateKey, Session

T = TypeVar("T")


_ED25519: Final = bytes.fromhex("06032b6570")  # the DER object identifier 1.3.101.112
_SILENT: Final = N_("Le module de clés (SCEAU_HSM) ne répond pas. Rien n’a été signé.")
_ABSENT: Final = N_("Le module de clés n’a pas cette clé de signature. Rien n’a été signé.")
_REFUSED: Final = N_(
    "Le module de clés refuse le code secret. Corrigez-le, puis redémarrez : d’autres essais bloqueraient le module. "
    "Rien n’a été signé."
)
_NO_ED25519: Final = N_(
    "Le module de clés ne sait pas signer en Ed25519, que Sceau utilise. Rien n’a été signé."
)
_LOCKED: Final = N_(
    "Le module de clés est bloqué après trop d’essais. Faites-le débloquer, puis redémarrez. "
    "Rien n’a été signé."
)


@dataclass(frozen=True)
class HsmAddress:
    """A PKCS#11 URI (RFC 7512): `pkcs11:token=LABEL?module-path=FILE&pin-source=file:/path`."""

    token: str
    module: Path
    pin_source: str

    @classmethod
    def parse(cls, uri: str) -> HsmAddress:
        path, _, query = uri.removeprefix(HSM_SCHEME).partition("?")
        attributes = dict(part.partition("=")[::2] for part in path.split(";") if part)
        options = {name: values[-1] for name, values in parse_qs(query).items()}
        token = unquote(attributes.get("token", ""))
        if (
            not uri.startswith(HSM_SCHEME)
            or not 0 < len(token.encode()) <= 32
            or not {"module-path", "pin-source"} <= options.keys()
        ):
            raise ValueError(
                "SCEAU_HSM must be pkcs11:token=LABEL?module-path=/path/to/module.so&pin-source=file:/path."
            )
        return cls(token, Path(options["module-path"]), options["pin-source"])


@dataclass(frozen=True)
class HsmKey:
    """A key of the token, found by its identifier and by the owner it was made for."""

    hsm: Hsm = field(repr=False)
    id: bytes
    owner: str
    public: VerificationKey

    def sign(self, message: bytes) -> bytes:
        return self.hsm.sign(self, message)


_TURN: Final = RLock()
"""Libraries of tokens are initialised without locks of their own: one thread of a process at a time."""


class Hsm:
    """One token and one session with it, opened at the first use.

    A refused PIN is never sent again by this process: tokens lock themselves after a few attempts.
    """

    def __init__(self, address: HsmAddress, pin: str) -> None:
        self.address = address
        self._pin = pin
        self._refusal = ""
        self._session: Session | None = None
        self._private: dict[tuple[bytes, str], PrivateKey] = {}
        self._public: dict[tuple[bytes, str], VerificationKey] = {}

    @property
    def id(self) -> str:
        """Stored beside each reference to a key, where sealed keys have the name of their KEK."""
        return f"{HSM_SCHEME}{self.address.token}"

    def check(self) -> None:
        """Raises Unavailable where the token is not there or does not accept the PIN."""
        from pkcs11 import Attribute

        # A search that finds nothing still asks the token.
        self._ask(lambda session: list(session.get_objects({Attribute.LABEL: "sceau"})))

    def generate(self, owner: str) -> HsmKey:
        """A new key for `owner`."""
        return self._ask(lambda session: self._generated(session, owner))

    def find(self, id: bytes, owner: str) -> HsmKey:
        """The key made for `owner`; a reference that was moved to another owner finds none."""
        with _TURN:
            if (id, owner) not in self._public:
                self._public[id, owner] = self._ask(lambda session: self._public_half(session, id, owner))
            return HsmKey(self, id, owner, self._public[id, owner])

    def sign(self, key: HsmKey, message: bytes) -> bytes:
        return self._ask(lambda session: self._signature(session, key, message))

    def close(self) -> None:
        """Ends the session, and with it the sign-in."""
        with _TURN:
            session, self._session = self._session, None
            self._private.clear()
            self._public.clear()
            if session is not None:
                with suppress(Exception):
                    session.close()

    def _ask(self, question: Callable[[Session], T]) -> T:
        import pkcs11

        with _TURN:
            for is_last in (False, True):
                try:
                    return question(self._opened())
                except pkcs11.NoSuchKey as error:
                    self.close()
                    raise Unavailable(_ABSENT) from error
                except (pkcs11.PKCS11Error, OSError) as error:
                    # Sessions end when a device is unplugged or its network fails: once more with a new one.
                    self._begin_anew()
                    if is_last:
                        raise Unavailable(_SILENT) from error
            raise AssertionError

    def _opened(self) -> Session:
        import pkcs11

        if self._session is not None:
            return self._session
        if self._refusal:
            raise Unavailable(self._refusal)
        token = pkcs11.lib(str(self.address.module)).get_token(token_label=self.address.token)
        try:
            self._session = token.open(rw=True, user_pin=self._pin)
        except pkcs11.UserAlreadyLoggedIn:
            self._session = token.open(rw=True)
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked) as error:
            self._refusal = _LOCKED if isinstance(error, pkcs11.PinLocked) else _REFUSED
            raise Unavailable(self._refusal) from error
        return self._session

    def _begin_anew(self) -> None:
        """A library finds a reconnected token only once it is initialised again."""
        import pkcs11

        self.close()
        with suppress(pkcs11.PKCS11Error, OSError):
            pkcs11.lib(str(self.address.module)).reinitialize()

    def _generated(self, session: Session, owner: str) -> HsmKey:
        from pkcs11 import Attribute, KeyType, Mechanism

        if Mechanism.EC_EDWARDS_KEY_PAIR_GEN not in session.token.slot.get_mechanisms():
            raise Unavailable(_NO_ED25519)
        id = secrets.token_bytes(16)
        parameters = session.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True
        )
        parameters.generate_keypair(
            id=id,
            label=owner,
            store=True,
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            private_template={
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.SIGN: True,
                Attribute.DERIVE: False,
            },
        )
        return HsmKey(self, id, owner, self._public_half(session, id, owner))

    def _public_half(self, session: Session, id: bytes, owner: str) -> VerificationKey:
        from pkcs11 import Attribute, ObjectClass

        # Without its private half, a public one is worth nothing.
        self._private_half(session, id, owner)
        public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, id=id, label=owner)
        try:
            point = _octets(public[Attribute.EC_POINT])
            return VerificationKey.of(ed25519.Ed25519PublicKey.from_public_bytes(point))
        except (ValueError, UnusableKey) as error:
            raise Unavailable(_ABSENT) from error

    def _private_half(self, session: Session, id: bytes, owner: str) -> PrivateKey:
        from pkcs11 import ObjectClass

        if (id, owner) not in self._private:
            found: Any = session.get_key(object_class=ObjectClass.PRIVATE_KEY, id=id, label=owner)
            self._private[id, owner] = found
        return self._private[id, owner]

    def _signature(self, session: Session, key: HsmKey, message: bytes) -> bytes:
        from pkcs11 import Mechanism

        private: Any = self._private_half(session, key.id, key.owner)
        return bytes(private.sign(message, mechanism=Mechanism.EDDSA))


def _octets(der: bytes) -> bytes:
    """The content of an OCTET STRING of fewer than 128 bytes; a bare point, which some tokens give, as it is."""
    return der[2:] if len(der) > 2 and der[0] == 0x04 and der[1] == len(der) - 2 else der
