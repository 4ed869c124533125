"""Runs: request, folder, state, and the register of all runs in the data folder."""

from engine.runs.run import (
    DamagedRun,
    Run,
    RunRegister,
    RunRequest,
    RunStage,
    RunState,
    RunStatus,
    create_run,
    current_process,
    find_run_folder,
    format_utc_now,
    load_run,
    process_start_ticks,
    read_register,
    request_cancellation,
    requeue_run,
    write_state,
)
from engine.storage.data_folder import RunFolder

__all__ = [
    "DamagedRun",
    "Run",
    "RunFolder",
    "RunRegister",
    "RunRequest",
    "RunStage",
    "RunState",
    "RunStatus",
    "create_run",
    "current_process",
    "find_run_folder",
    "format_utc_now",
    "load_run",
    "process_start_ticks",
    "read_register",
    "request_cancellation",
    "requeue_run",
    "write_state",
]
