"""DBOS Transact behind few words: workflows named after the rows they carry out, taken over from the dead."""

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
"""The engine's application version. The same across upgrades, so that any release goes on with what another
began; raise it only when `carry_out` takes its steps in another order, or begins in another way: what is half done then
starts anew from its row."""
PATIENCE = timedelta(seconds=5)
"""A promise whose workflow has ended and that is still due is tried again after so long."""
KEPT = timedelta(days=1)
_UNFINISHED = ("ENQUEUED", "PENDING", "DELAYED")

Step = Callable[[str, str], bool]
"""(kind, row id) -> whether more is left."""


class JsonText(Serializer):
    """Plain JSON instead of pickles: whoever can write to the engine's tables must not be able to run code."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=_said)

    def deserialize(cls, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "sceau_json"


class Stopped(BaseException):
    """What a step raises where its worker stops: the workflow stays as it is, and goes on in another one."""


def _said(value: object) -> object:
    """An exception by its kind only: its text may name a person (I23)."""
    return type(value).__name__ if isinstance(value, BaseException) else str(value)


class Engine:
    """One per process: the library behind it has one instance.

    Of each kind a few threads wait for rows and start their workflows themselves. The library's own queues would be
    asked in the database several times a second each, busy or not, and start two of a kind at each asking at most.
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
        """`kinds` says how many of each this worker carries out at once."""
        self.kinds, self.shape = kinds, shape
        logging.getLogger("dbos").setLevel(logging.WARNING)
        # A handler of its own keeps the library from adding one that writes in its own way.
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
        """A workflow for each row that has none under way; whatever was started before is left alone."""
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
                # Somebody else may have begun it while it waited: to start it again would be to wait for them.
                if not DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False):
                    with SetWorkflowID(workflow_id):
                        self.workflow(kind, row_id)
            except Stopped:
                return
            except Exception as error:
                # The database may be away: the row is still due, and is found again.
                log.error("workflow trouble", promise=kind, row=row_id, kind=type(error).__name__)
            finally:
                self._taken.discard(workflow_id)

    def under_way(self) -> dict[str, str]:
        """The worker that carries out each workflow that has begun, alive or not."""
        begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {each.workflow_id: each.executor_id or "" for each in begun}

    def resume(self, workflow_ids: Collection[str]) -> None:
        """For whoever is there, within a second: they go on after the last piece that is known done."""
        for workflow_id in workflow_ids:
            DBOS.resume_workflow(workflow_id)

    def restart_other_shapes(self) -> None:
        """What another shape of the workflow began and nobody can go on with is begun again from its row."""
        unfinished = DBOS.list_workflows(status=list(_UNFINISHED), load_input=False, load_output=False)
        _delete(each.workflow_id for each in unfinished if each.app_version != self.shape)

    def clean(self, *, now: datetime | None = None) -> None:
        """Ended workflows say nothing that the rows do not say."""
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
        """Each piece is one step, committed by the step itself; after a crash the next piece follows."""
        while DBOS.run_step({"name": "piece"}, step, kind, row_id):
            pass

    return process_chunk


def _ended(status: Any) -> datetime:
    milliseconds = status.completed_at or status.updated_at or 0
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _delete(workflow_ids: Iterable[str]) -> None:
    if ids := list(workflow_ids):
        DBOS.delete_workflows(ids)
