"""The virus scanner over its own protocol: clean, infected, or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.uploads import Clamd, ScannerUnusable
from app.domain.activities.files import ScannerSilent
from tests.support.handed import EICAR
from tests.support.servers.clamd import nobodys_port, scanning


def test_a_file_is_sent_in_chunks_and_the_answer_is_accepted():
    with scanning() as server:
        scanner = Clamd(server.address)
        large = bytes(range(256)) * 1000
        assert scanner.is_clean(large)
        assert not scanner.is_clean(large + EICAR)
        assert scanner.is_clean(b"")
        assert server.seen == [large, large + EICAR, b""]


def test_a_unix_socket_is_supported(tmp_path: Path):
    with scanning(tmp_path / "clamd.ctl") as server:
        assert Clamd(server.address).is_clean(b"bonjour")
    with pytest.raises(ScannerSilent):
        Clamd(server.address).is_clean(b"bonjour")


@pytest.mark.parametrize(
    "words",
    [b"", b"UNKNOWN COMMAND\0", b"stream: OKAY\0", b"stream: ERROR\0", b"OK\0", b"FOUND\0", b"x" * 9000],
)
def test_a_malformed_answer_leaves_the_file_unknown(words: bytes):
    with scanning() as server:
        server.says = words
        with pytest.raises(ScannerSilent):
            Clamd(server.address).is_clean(b"bonjour")


def test_a_file_beyond_the_scanner_s_own_limit_is_not_called_clean():
    with scanning() as server:
        server.limit = 10
        with pytest.raises(ScannerSilent):
            Clamd(server.address).is_clean(b"bonjour, bonjour")


def test_an_unreachable_scanner_is_reported_as_silent():
    with pytest.raises(ScannerSilent):
        Clamd(f"tcp://127.0.0.1:{nobodys_port()}").is_clean(b"bonjour")


@pytest.mark.parametrize(
    "address", ["clamd", "tcp://clamd", "tcp://:3310", "http://clamd:3310", "unix:", "tcp://x:y"]
)
def test_an_invalid_address_stops_the_start(address: str):
    with pytest.raises(ScannerUnusable):
        Clamd(address)
