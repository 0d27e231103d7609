"""What a process that reads strangers' files gives up before it reads the first byte of one.

Linux does what it can: limits on time, memory and files are kept by the kernel everywhere; no files but those that are
open and no network only where the kernel is told so (Landlock, from 5.13 on; a network of its own, where that is allowed).
docs/files.md says what it does not prevent.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import sys
from typing import Any, NoReturn

SECONDS = 20  # of the processor; the parent waits a little longer on the clock
MEMORY = 1_200 * 1024**2
OUTPUT = 48 * 1024**2  # bytes that may be written to the one file that is open for it

PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CREATE_RULESET, RESTRICT_SELF = 444, 446  # the numbers of Landlock's calls, the same on all processors
# All that the first version of Landlock knows to forbid: executing, reading, writing, making and removing files.
ALL_OF_VERSION_1 = (1 << 13) - 1


def confine(*, threads: bool = False) -> list[str]:
    """Give up all that is not needed to turn bytes into pictures; returns what the kernel granted beside the limits.

    `threads` is for a decoder that insists on some: the kernel counts them as processes, so those are not limited then.
    """
    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, OUTPUT),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    if not threads:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # does not hold for root
    no_sockets()
    granted = []
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
            granted.append("network")
        if no_files(libc):
            granted.append("files")
    return granted


def no_files(libc: Any) -> bool:
    """Open no file any more, and run no program. What is open stays open; modules must have been imported before."""
    forbidden = ctypes.c_uint64(ALL_OF_VERSION_1)
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(forbidden), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    done: int = libc.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return done == 0


def no_sockets() -> None:
    """Python code opens no connection. Code that broke out of a decoder would not ask Python."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise PermissionError("no network here")

    socket.socket.__init__ = refuse  # type: ignore[method-assign]
    socket.create_connection = refuse
