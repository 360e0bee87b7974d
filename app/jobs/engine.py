"""DBOS Transact behind a small interface: workflows named after their rows, recovered from dead workers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

import structlog
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID

log = structlog.get_logger("worker")
WORKFLOW_SHAPE = "2"
"""The engine's application version. Unchanged across upgrades, so that any release continues workflows of
another; increase it only when `carry_out` changes the order of its steps, or how it begins: unfinished
workflows then restart from their rows."""
PATIENCE = timedelta(seconds=5)
"""Retry interval of a job that is still due although its workflow has ended."""
KEPT = timedelta(days=1)
_UNFINISHED = ("ENQUEUED", "PENDING", "DELAYED")

Step = Callable[[str, str], bool]
"""(kind, row id) -> whether more is left."""


class JsonText(Serializer):
    """Plain JSON instead of pickles: write access to the engine's tables must not allow code execution."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=_said)

    def deserialize(cls, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "sceau_json"


class Stopped(BaseException):
    """Raised by a step when its worker stops: the workflow stays unfinished, and continues in another
    worker."""


def _said(value: object) -> object:
    """An exception by its type only: its text may name a person (I23)."""
    return type(value).__name__ if isinstance(value, BaseException) else str(value)


class Engine:
    """One per process: the library behind it is a singleton.

    For each job type a few threads wait for rows and start their workflows themselves. The library's own
    queues would each poll the database several times per second, busy or not, and start at most two of a type
    per poll.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        worker_id: str,
        kinds: Mapping[str, int],
        step: Step,
        *,
        shape: str = WORKFLOW_SHAPE,
    ) -> None:
        """`kinds` is the concurrency of each job type in this worker."""
        self.kinds, self.shape = kinds, shape
        logging.getLogger("dbos").setLevel(logging.WARNING)
        # An explicit handler stops the library from adding one with its own format.
        logging.getLogger("dbos").handlers[:] = [logging.NullHandler()]
        config: DBOSConfig = {
            "name": "sceau",
            "system_database_url": url,
            "dbos_system_schema": schema,
            "application_version": shape,
            "executor_id": worker_id,
            "sys_db_pool_size": 5,
            "serializer": JsonText(),
            "log_level": "WARNING",
            "enable_otlp": False,
        }
        DBOS(config=config)
        self.workflow = DBOS.workflow(name="carry_out")(_carry_out(step))
        self._waiting: dict[str, SimpleQueue[str | None]] = {kind: SimpleQueue() for kind in kinds}
        self._taken = set[str]()

    def start(self) -> None:
        DBOS.listen_queues([])
        DBOS.launch()
        for kind, at_once in self.kinds.items():
            for number in range(at_once):
                name = f"sceau-{kind}-{number}"
                threading.Thread(target=self._carry_out, args=[kind], name=name, daemon=True).start()

    def stop(self) -> None:
        for kind, at_once in self.kinds.items():
            for _ in range(at_once):
                self._waiting[kind].put(None)
        DBOS.destroy(destroy_registry=True)

    def enqueue(self, kind: str, row_ids: Iterable[str], *, now: datetime | None = None) -> None:
        """Starts a workflow for each row without an active one. Idempotent."""
        ids = {f"{kind}:{row_id}": row_id for row_id in row_ids}
        ids = {workflow_id: row_id for workflow_id, row_id in ids.items() if workflow_id not in self._taken}
        if not ids:
            return
        known = DBOS.list_workflows(workflow_ids=list(ids), load_input=False, load_output=False)
        at = now or datetime.now(UTC)
        over = {
            each.workflow_id
            for each in known
            if each.status not in _UNFINISHED and _ended(each) <= at - PATIENCE
        }
        _delete(over)
        started = {each.workflow_id for each in known} - over
        for workflow_id, row_id in ids.items():
            if workflow_id not in started:
                self._taken.add(workflow_id)
                self._waiting[kind].put(row_id)

    def _carry_out(self, kind: str) -> None:
        while (row_id := self._waiting[kind].get()) is not None:
            workflow_id = f"{kind}:{row_id}"
            try:
                # Another worker may have begun it meanwhile: starting it again would block until that one
                # ends.
                if not DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False):
                    with SetWorkflowID(workflow_id):
                        self.workflow(kind, row_id)
            except Stopped:
                return
            except Exception as error:
                # The database may be unavailable: the row is still due, and a later sweep finds it.
                log.error("workflow trouble", promise=kind, row=row_id, kind=type(error).__name__)
            finally:
                self._taken.discard(workflow_id)

    def under_way(self) -> dict[str, str]:
        """The worker of each started workflow, alive or not."""
        begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {each.workflow_id: each.executor_id or "" for each in begun}

    def resume(self, workflow_ids: Collection[str]) -> None:
        """For any live worker, within a second: continues after the last committed chunk."""
        for workflow_id in workflow_ids:
            DBOS.resume_workflow(workflow_id)

    def restart_other_shapes(self) -> None:
        """Workflows of another shape, which no worker can continue, restart from their rows."""
        unfinished = DBOS.list_workflows(status=list(_UNFINISHED), load_input=False, load_output=False)
        _delete(each.workflow_id for each in unfinished if each.app_version != self.shape)

    def clean(self, *, now: datetime | None = None) -> None:
        """Deletes ended workflows, which contain nothing beyond the rows."""
        before = ((now or datetime.now(UTC)) - KEPT).isoformat()
        ended = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=before,
            limit=1_000,
            load_input=False,
            load_output=False,
        )
        _delete(each.workflow_id for each in ended)


def _carry_out(step: Step) -> Callable[[str, str], None]:
    def process_chunk(kind: str, row_id: str) -> None:
        """Each chunk is one step, committed by the step itself; after a crash the next chunk follows."""
        while DBOS.run_step({"name": "piece"}, step, kind, row_id):
            pass

    return process_chunk


def _ended(status: Any) -> datetime:
    milliseconds = status.completed_at or status.updated_at or 0
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _delete(workflow_ids: Iterable[str]) -> None:
    if ids := list(workflow_ids):
        DBOS.delete_workflows(ids)
