"""Private keys sealed under a key-encryption key (KEK) that is never stored beside the database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs, unquote

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from app.adapters import Unusable
from app.adapters.slots import NoSlot, Slots
from app.domain.accounts.sessions import WaitingFile, WaitingForm
from app.domain.accounts.sign_in import LONGEST_PASSWORD, normal_password
from app.domain.campus.campus import HSM_SCHEME, is_in_hsm
from app.errors import Unavailable
from app.language import N_
from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys import Algorithm, LocalSigningKey, SigningKey, VerificationKey

if TYPE_CHECKING:
    from pkcs11 import PrivateKey, Session

# --- Signing keys in a PKCS#11 token: made there, used there, never read out of it
#
# Ed25519 only (CKM_EDDSA of PKCS#11 3.0): Sceau signs with it alone.

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
            raise KekUnusable(
                "SCEAU_HSM s’écrit pkcs11:token=NOM?module-path=/chemin/module.so&pin-source=file:/chemin."
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


# --- secrets

_FORMAT = b"\x01"
_SALT, _NONCE = 32, 12


class KekUnusable(Unusable):
    """The key-encryption key cannot be used; the message contains the remedy for the operator."""


@dataclass(frozen=True)
class Kek:
    """32 secret bytes with a public name, so that a sealed key identifies its KEK."""

    secret: bytes = field(repr=False)
    version: int = 1

    @property
    def id(self) -> str:
        digest = Hash(SHA256())
        digest.update(b"sceau kek id\x00" + self.secret)
        return digest.finalize().hex()[:16]


@dataclass(frozen=True)
class SealedFor:
    """Context of a sealed key: moved to another campus or renamed, it no longer opens (M7, T35)."""

    campus: str
    method_id: str
    algorithm: str
    purpose: str

    @property
    def label(self) -> str:
        """Of the key in a token."""
        return f"sceau {self.purpose} {self.campus}"


@dataclass(frozen=True)
class StoredKey:
    """What the database has of a key: sealed bytes and their KEK, or the reference of a key in a token."""

    sealed: bytes
    kek_id: str
    kek_version: int


class KeyVault:
    """Seals under `kek`; opens what was sealed under it or under one of `others`. With an `hsm`, new keys are
    made there."""

    def __init__(
        self,
        kek: Kek,
        before_opening: Callable[[], None] = lambda: None,
        *,
        others: Sequence[Kek] = (),
        hsm: Hsm | None = None,
    ) -> None:
        self.kek = kek
        self.before_opening = before_opening
        self.hsm = hsm
        self._keks = {each.id: each for each in (kek, *others)}

    @property
    def kek_ids(self) -> frozenset[str]:
        """Of every key-encryption key that opens here, and of the token."""
        return frozenset(self._keks) | ({self.hsm.id} if self.hsm else set())

    def generate(self, owner: SealedFor) -> LocalSigningKey | HsmKey:
        """In the token, if there is one and it makes such keys; `owner` needs no method yet."""
        algorithm = Algorithm(owner.algorithm)
        if self.hsm and algorithm is Algorithm.EDDSA:
            return self.hsm.generate(owner.label)
        return LocalSigningKey.generate(algorithm)

    def store(self, key: LocalSigningKey | HsmKey, owner: SealedFor) -> StoredKey:
        if isinstance(key, HsmKey):
            return StoredKey(key.id, key.hsm.id, 1)
        return StoredKey(self.seal(key, owner), self.kek.id, self.kek.version)

    def seal(self, key: LocalSigningKey, owner: SealedFor) -> bytes:
        return self._sealed(key.to_bytes(), owner)

    def _sealed(self, private: bytes, owner: SealedFor) -> bytes:
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        body = AESGCM(_wrapping_key(self.kek, salt)).encrypt(nonce, private, _bound_to(self.kek, owner))
        return _FORMAT + salt + nonce + body

    def rewrap(self, sealed: bytes, owner: SealedFor, *, kek_id: str) -> bytes:
        """The same key, sealed under the current key-encryption key."""
        return self._sealed(self._opened(sealed, owner, kek_id), owner)

    def guarded(self, before_opening: Callable[[], None]) -> KeyVault:
        """The same vault, which opens a key only where `before_opening` does not raise."""
        same = copy(self)
        same.before_opening = before_opening
        return same

    def open(self, sealed: bytes, owner: SealedFor, *, kek_id: str) -> SigningKey:
        self.before_opening()
        if is_in_hsm(kek_id):
            if self.hsm is None or self.hsm.id != kek_id:
                raise Unavailable(
                    "La clé de signature est dans un autre module de clés (SCEAU_HSM). Rien n’a été signé."
                )
            return self.hsm.find(sealed, owner.label)
        return LocalSigningKey.from_bytes(self._opened(sealed, owner, kek_id))

    def _opened(self, sealed: bytes, owner: SealedFor, kek_id: str) -> bytes:
        kek = self._keks.get(kek_id)
        if kek is None:
            raise Unavailable(
                "La clé de signature est scellée par une autre clé maîtresse. Rien n’a été signé."
            )
        salt, nonce, body = (
            sealed[1 : 1 + _SALT],
            sealed[1 + _SALT : 1 + _SALT + _NONCE],
            sealed[1 + _SALT + _NONCE :],
        )
        try:
            if sealed[:1] != _FORMAT or len(nonce) != _NONCE:
                raise InvalidTag
            return AESGCM(_wrapping_key(kek, salt)).decrypt(nonce, body, _bound_to(kek, owner))
        except InvalidTag as error:
            raise Unavailable("La clé de signature ne s’ouvre pas. Rien n’a été signé.") from error

    def seal_bytes(self, content: bytes, bound_to: bytes) -> bytes:
        """Sealed under a data key of its own; opens only with the same `bound_to` (associated data)."""
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        return (
            _FORMAT + salt + nonce + AESGCM(_wrapping_key(self.kek, salt)).encrypt(nonce, content, bound_to)
        )

    def open_bytes(self, sealed: bytes, bound_to: bytes) -> bytes:
        salt, nonce = sealed[1 : 1 + _SALT], sealed[1 + _SALT : 1 + _SALT + _NONCE]
        if sealed[:1] == _FORMAT and len(nonce) == _NONCE:
            for kek in self._keks.values():
                with suppress(InvalidTag):
                    body = sealed[1 + _SALT + _NONCE :]
                    return AESGCM(_wrapping_key(kek, salt)).decrypt(nonce, body, bound_to)
        raise Unavailable("Ce qui a été scellé ne s’ouvre pas avec cette clé maîtresse.")


def _wrapping_key(kek: Kek, salt: bytes) -> bytes:
    # A fresh key for every seal, so that a nonce is never reused.
    return HKDF(SHA256(), 32, salt, b"sceau/kek/v1").derive(kek.secret)


def _bound_to(kek: Kek, owner: SealedFor) -> bytes:
    return rfc8785.dumps(
        {
            "alg": owner.algorithm,
            "campus": owner.campus,
            "kek": kek.id,
            "method": owner.method_id,
            "purpose": owner.purpose,
            "version": kek.version,
        }
    )


def kek_from(source: str, *, database_folder: Path | None) -> Kek:
    """Reads the KEK from `file:/path` or `env:NAME`; raises KekUnusable with the remedy."""
    scheme, _, where = source.partition(":")
    if scheme == "env":
        return Kek(_decoded(os.environ.get(where, ""), where))
    if scheme == "file":
        path = Path(where)
        _check_kek_file(path, database_folder)
        return Kek(_decoded(path.read_text("utf-8-sig", "replace"), str(path)))
    raise KekUnusable("SCEAU_KEK et SCEAU_OTHER_KEKS s’écrivent file:/chemin ou env:NOM.")


def hsm_in(uri: str) -> Hsm | None:
    """None if empty; raises KekUnusable with the remedy."""
    if not uri:
        return None
    address = HsmAddress.parse(uri)
    return Hsm(address, pin_from(address.pin_source))


def pin_from(source: str) -> str:
    """Reads the PIN of a token from `file:/path` or `env:NAME`; raises KekUnusable with the remedy."""
    scheme, _, where = source.partition(":")
    if scheme == "env":
        pin = os.environ.get(where, "")
    elif scheme == "file":
        _check_private(
            Path(where),
            N_("Le code secret de SCEAU_HSM n’est pas dans {path} : écrivez-le, en mode 0600."),
        )
        pin = Path(where).read_text("utf-8-sig", "replace").strip()
    else:
        raise KekUnusable("Dans SCEAU_HSM, pin-source s’écrit file:/chemin ou env:NOM.")
    if not pin:
        raise KekUnusable("Le code secret de SCEAU_HSM est vide : {where}.", where=where)
    return pin


def _check_private(path: Path, absent: str) -> None:
    if not path.is_file():
        raise KekUnusable(absent, path=path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KekUnusable("D’autres peuvent lire {path} : chmod 600 {path}.", path=path)


def _check_kek_file(path: Path, database_folder: Path | None) -> None:
    _check_private(
        path,
        N_(
            "La clé maîtresse n’est pas dans {path} : remettez-la. Pour un nouveau service, créez-en une par `sceau keys make-kek`."
        ),
    )
    if database_folder and path.resolve().is_relative_to(database_folder.resolve()):
        raise KekUnusable("La clé maîtresse est à côté de la base : un voleur aurait les deux. Déplacez-la.")


def _decoded(text: str, where: str) -> bytes:
    with suppress(ValueError):
        secret = base64.b64decode(text.strip(), validate=True)
        if len(secret) == 32:
            return secret
    raise KekUnusable(
        "La clé maîtresse ne se lit pas : {where}. Remettez sa copie : 32 octets en base64, sur une ligne.",
        where=where,
    )


def make_secret_file(path: Path) -> None:
    """Writes 32 random bytes in base64, readable by the owner only; an existing file stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")


class PasswordHashes:
    """Raises Unavailable where many are hashed already: each takes 64 MiB and a tenth of a second."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hashes = PasswordHash((hasher or Argon2Hasher(),))
        self._slots = Slots(2, waiting=8, seconds=5)
        # Compared with where there is no password: the answer takes the same time (T19).
        self._nobodys = self._hashes.hash("nobody has this password")

    def of(self, password: str) -> str:
        with self._turn():
            return self._hashes.hash(normal_password(password))

    def compare(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Whether the password matches, and a new hash where the stored one has other parameters."""
        typed = normal_password(password[:LONGEST_PASSWORD])
        with self._turn():
            try:
                good, newer = self._hashes.verify_and_update(typed, kept or self._nobodys)
            except UnknownHashError:
                return False, None
        good = good and kept is not None and len(password) <= LONGEST_PASSWORD
        return good, newer if good else None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            with self._slots.take():
                yield
        except NoSlot:
            raise Unavailable(
                "Trop de mots de passe sont vérifiés en ce moment. Réessayez dans quelques secondes, ou entrez autrement."
            ) from None


_SEALED_FORMS_NONCE = 12


@dataclass(frozen=True, eq=False)
class SealedForms:
    """AES-256-GCM under a key derived from the service's secret and the page's secret."""

    secret: bytes

    def seal(self, form: WaitingForm, *, token: str) -> bytes:
        header = {
            "path": form.path,
            "fields": list(form.fields),
            "files": [[each.field, each.name, each.media_type, len(each.content)] for each in form.files],
        }
        nonce, head = os.urandom(_SEALED_FORMS_NONCE), json.dumps(header).encode()
        plain = len(head).to_bytes(4, "big") + head + b"".join(each.content for each in form.files)
        return nonce + self._cipher(token).encrypt(nonce, plain, None)

    def open(self, sealed: bytes, *, token: str) -> WaitingForm | None:
        """None where it was sealed under another key, or damaged."""
        try:
            plain = self._cipher(token).decrypt(
                sealed[:_SEALED_FORMS_NONCE], sealed[_SEALED_FORMS_NONCE:], None
            )
        except (InvalidTag, ValueError):
            return None
        size = int.from_bytes(plain[:4], "big")
        header, at, files = json.loads(plain[4 : 4 + size]), 4 + size, []
        for field_name, name, media_type, length in header["files"]:
            files.append(WaitingFile(field_name, name, media_type, plain[at : at + length]))
            at += length
        return WaitingForm(header["path"], [(name, value) for name, value in header["fields"]], files)

    def _cipher(self, token: str) -> AESGCM:
        return AESGCM(hmac.digest(self.secret, b"form set aside|" + token.encode(), hashlib.sha256))


_SEALED_WORDS_NONCE = 12
_LONGEST = 800


class EncryptedTokens:
    """AES-256-GCM under a key derived from the service's secret; `bound_to` is the recipient."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(secret, b"words sealed into an address", hashlib.sha256))

    def seal(self, words: str, *, bound_to: str) -> str:
        nonce = os.urandom(_SEALED_WORDS_NONCE)
        sealed = self._cipher.encrypt(nonce, words.encode("utf-8", "surrogatepass"), bound_to.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, token: str, *, bound_to: str) -> str | None:
        """None for anything that was not sealed here for that person."""
        if not 0 < len(token) <= _LONGEST:
            return None
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            opened = self._cipher.decrypt(
                raw[:_SEALED_WORDS_NONCE], raw[_SEALED_WORDS_NONCE:], bound_to.encode()
            )
            return opened.decode("utf-8", "surrogatepass")
        except (UnicodeError, binascii.Error, InvalidTag, ValueError):
            return None
