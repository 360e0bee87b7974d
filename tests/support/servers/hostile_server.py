"""Another issuer's server on loopback with real TLS; each test scripts its answers: valid, invalid or none."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PUBLIC_ADDRESS = "93.184.215.14"
"""The address of all test names; `Network.dial` maps it to the server on loopback."""
NAMES = ("badges.example", "issuer.example", "other.example", "localhost")
PATIENCE = 10.0


@dataclass
class Request:
    path: str
    headers: dict[str, str]


@dataclass
class Conversation:
    """One request, and the means to answer it byte by byte."""

    request: Request
    connection: socket.socket
    stopping: Event
    sent: int = 0

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.sent += len(data)

    def pause(self) -> bool:
        """Wait briefly between two bytes; False after the end of the test."""
        return not self.stopping.wait(0.02)


Script = Callable[[Conversation], None]


def answer(body: bytes | str = b"{}", status: str = "200 OK", **headers: str) -> Script:
    """A well-formed answer; `cache_control="no-store"` sets the header Cache-Control."""
    content = body if isinstance(body, bytes) else body.encode()
    named = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    named |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return raw(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + content)


def redirect(location: str, status: str = "302 Found") -> Script:
    return answer(b"", status, location=location)


def raw(data: bytes) -> Script:
    return lambda talk: talk.send(data)


class HostileServer:
    """Runs a script per path and records requests. Without a TLS context it serves plain HTTP."""

    def __init__(self, server_context: ssl.SSLContext | None = None) -> None:
        self.scripts: dict[str, Script] = {}
        self.requests: list[Request] = []
        self.stopping = Event()
        self.asked = Event()
        self._context = server_context
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._accept, name="hostile-server", daemon=True)]
        self._threads[0].start()

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with suppress(OSError), self._opened(connection) as opened:
            request = _read_request(opened)
            with self._lock:
                self.requests.append(request)
            self.asked.set()
            script = self.scripts.get(request.path, answer(b"", "404 Not Found"))
            script(Conversation(request, opened, self.stopping))
            if isinstance(opened, ssl.SSLSocket):
                opened.unwrap()

    def _opened(self, connection: socket.socket) -> socket.socket:
        return self._context.wrap_socket(connection, server_side=True) if self._context else connection

    def close(self) -> None:
        self.stopping.set()
        # Closing alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)


def _read_request(connection: socket.socket) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise OSError("no request")
        received += piece
    first, *lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(first.split(" ")[1], headers)


@dataclass
class Network:
    """A simulated internet: DNS names, the server at PUBLIC_ADDRESS, and a tripwire for all other addresses."""

    server: HostileServer
    tripwire: socket.socket
    client_context: ssl.SSLContext
    addresses: dict[str, list[str]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return self.addresses.get(host, [PUBLIC_ADDRESS])

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        """Connects all addresses but the server's to the tripwire, never outside this machine."""
        self.dialled.append(address)
        port = self.server.port if address == PUBLIC_ADDRESS else self.tripwire_port
        return socket.create_connection(("127.0.0.1", port), seconds)

    @property
    def tripwire_port(self) -> int:
        return self.tripwire.getsockname()[1]

    @property
    def nothing_else_was_contacted(self) -> bool:
        self.tripwire.setblocking(False)
        try:
            connection, _ = self.tripwire.accept()
        except BlockingIOError:
            return set(self.dialled) <= {PUBLIC_ADDRESS}
        connection.close()
        return False


@contextmanager
def hostile_network(folder: Path) -> Iterator[Network]:
    certificate, key = _certificate(NAMES)
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    client_context = ssl.create_default_context(cadata=certificate.decode())
    server = HostileServer(server_context)
    try:
        with socket.create_server(("127.0.0.1", 0)) as tripwire:
            yield Network(server, tripwire, client_context)
    finally:
        server.close()


def _certificate(names: tuple[str, ...]) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        # From Python 3.13 on, certificates are read strictly by default.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
