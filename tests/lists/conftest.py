"""Documents read in this process: many readings in one test, without a process for each."""

from __future__ import annotations

from typing import Any

import pytest

from app.adapters.sheets import list_files
from app.adapters.sheets.document_parts import Refused
from app.adapters.sheets.list_reading import READERS


def _read(kind: str, data: bytes) -> list[dict[str, Any]]:
    try:
        return READERS[kind](data)
    except Refused as error:
        raise list_files.UnreadableList(error.args[0]) from None
    except Exception:
        raise list_files.UnreadableList("damaged") from None


@pytest.fixture(scope="module")
def reading_in_this_process() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_files, "_read", _read)
        yield
