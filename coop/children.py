"""Child processes that do not outlive their parent, write to a log file, and stop in bounded time.

Used for the embedded servers and for web, worker and beat. Nothing here imports Django.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOG_LIMIT = 5_000_000  # bytes; a larger log is set aside at the next start


@dataclass(frozen=True)
class Account:
    """The system user and group that a child runs as."""

    uid: int
    gid: int


def _tie_to_parent(death_signal: int) -> Callable[[], None] | None:
    """Return what the child runs between fork and exec, so that the kernel signals it when the parent dies.

    Linux only; elsewhere None, and left-over servers are found and stopped at the next start.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # the parent died before the call above
            os._exit(1)

    return tie


def start_child(
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output appended to `log`; `death_signal` reaches it when this process dies.

    The child gets no terminal and no pipe of ours: a Ctrl-C reaches the supervisor alone, which stops its
    children in order, and a script that reads our output is not kept waiting by a server that still holds it
    open.
    """
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".old"))
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_tie_to_parent(death_signal),  # noqa: PLW1509 - we have no threads here
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )


def stop_children(
    children: Sequence[subprocess.Popen[bytes]], *, by: signal.Signals = signal.SIGTERM, seconds: float
) -> bool:
    """Ask all `children` at once to stop, and kill the sessions of those still there after `seconds`.

    Returns whether all of them stopped by themselves.
    """
    for child in children:
        if child.poll() is None:
            child.send_signal(by)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(child.poll() is None for child in children):
        time.sleep(0.02)
    stubborn = [child for child in children if child.poll() is None]
    for child in stubborn:
        kill_session(child)
        child.wait()
    return not stubborn


def kill_session(child: subprocess.Popen[bytes]) -> None:
    """Kill `child` and what it started, as far as they are still there."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def last_lines(log: Path, count: int = 5) -> list[str]:
    """Return the last lines of a log file, oldest first; an unreadable or missing file has none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]
