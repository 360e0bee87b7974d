"""A fake virus scanner that implements clamd's protocol and detects the EICAR test file."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer, ThreadingUnixStreamServer
from threading import Thread

from tests.support.handed import EICAR


class ScannerServer:
    """`says` overrides the honest answer; `limit` is StreamMaxLength."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.says: bytes | None = None
        self.limit = 25 * 1024 * 1024
        self.seen: list[bytes] = []

    def answer(self, content: bytes) -> bytes:
        self.seen.append(content)
        if self.says is not None:
            return self.says
        if len(content) > self.limit:
            return b"INSTREAM size limit exceeded. ERROR\0"
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"


@contextmanager
def scanning(at: Path | None = None) -> Iterator[ScannerServer]:
    """Over TCP on loopback, or over a socket in the file system."""
    result: list[ScannerServer] = []

    class Conversation(StreamRequestHandler):
        def handle(self) -> None:
            command = self._until_zero()
            if command != b"zINSTREAM":
                self.wfile.write(b"UNKNOWN COMMAND\0")
                return
            content = b""
            while size := struct.unpack("!I", self.rfile.read(4))[0]:
                content += self.rfile.read(size)
            self.wfile.write(result[0].answer(content))

        def _until_zero(self) -> bytes:
            read = b""
            while (sign := self.rfile.read(1)) not in (b"", b"\0"):
                read += sign
            return read

    server = (
        ThreadingUnixStreamServer(str(at), Conversation)
        if at
        else ThreadingTCPServer(("127.0.0.1", 0), Conversation)
    )
    where = f"unix:{at}" if at else f"tcp://127.0.0.1:{server.server_address[1]}"
    result.append(ScannerServer(where))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield result[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nobodys_port() -> int:
    """A closed port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
