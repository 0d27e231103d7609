"""Reads files that are made while they are read, and prints bytes, lines, and the most memory that it ever had, in MB."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import IO, cast

from funds.files import open_sheet

HEADER = b"external_id,location,program,earned_on,amount,currency\n"
LINES = b"".join(b"E%08d,HQ-1,mci-csp-reseller,2023-08-15,5.00,USD\n" % n for n in range(4_096))
LENGTH = 52


class Endless(io.RawIOBase):
    """A header and then so many bytes of lines."""

    def __init__(self, size: int) -> None:
        self.size, self.at = len(HEADER) + size, 0

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.size - self.at)
        head = HEADER[self.at : self.at + size]
        place = (self.at + len(head) - len(HEADER)) % len(LINES)
        made = head + (LINES * (size // len(LINES) + 2))[place : place + size - len(head)]
        self.at += len(made)
        return made

    def seek(self, place: int, whence: int = 0) -> int:
        self.at = place + (0, self.at, self.size)[whence]
        return self.at


def endless(size: int) -> IO[bytes]:
    return cast(IO[bytes], Endless(size // LENGTH * LENGTH))


if __name__ == "__main__":
    chunks = open_sheet(endless(300_000_000)).chunks()
    assert chunks is not None
    print(sum(map(len, chunks)))
    print(sum(1 for _ in open_sheet(endless(20_000_000)).rows()))
    # Not getrusage: that begins with the memory of the process that started this one.
    high = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert high
    print(int(high[1]) // 1024)
