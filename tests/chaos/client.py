"""A client that wants a definite answer: it asks again, with the same key, until it has one, and only then writes it down.

Each process of the load has a journal of its own: a line before an act is first tried, and one after it was answered. What
the auditor may demand of the product stands in the second; what it may forgive, in a first without a second.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import urllib3

PATIENCE = 120.0  # seconds after the end in which everything must have come back
# No answer to the request itself: somebody else is at it, or the product says that it cannot answer now.
NOT_DEFINITE = ("in_progress", "throttled", "busy")


class Unanswered(Exception):
    """No definite answer was to be had."""


class Answer:
    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    @property
    def digest(self) -> str:
        """Of all that was said, so that two answers can be compared."""
        text = json.dumps([self.status, self.body], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Load:
    """One process of the load: a seeded chance, a journal, and the keys of people to act with."""

    def __init__(self, home: Path, port: int, name: str, seed: str) -> None:
        self.home, self.name = home, name
        self.chance = random.Random(f"{seed} {name}")
        self.world = json.loads((home / "world.json").read_text())
        self.base = f"http://127.0.0.1:{port}/api/v1/"
        self.http = urllib3.PoolManager(maxsize=2, retries=False, timeout=urllib3.Timeout(connect=3, read=20))
        self.journal = (home / "journals" / f"{name}.jsonl").open("a", encoding="utf-8")
        self.numbers = count(1)
        self.lock = Lock()
        self.repeatable: list[tuple[dict[str, Any], str]] = []

    @property
    def over(self) -> bool:
        return (self.home / "stop").exists()

    def write(self, line: dict[str, Any]) -> None:
        with self.lock:
            self.journal.write(json.dumps(line) + "\n")
            self.journal.flush()

    def once(self, method: str, path: str, secret: str, key: str = "", **body: Any) -> Answer:
        """One try. Raises Unanswered."""
        headers = {"Authorization": f"Bearer {secret}", **({"Idempotency-Key": key} if key else {})}
        try:
            response = self.http.request(method, self.base + path, headers=headers, **body)
            answer = Answer(response.status, json.loads(response.data) if response.data else None)
        except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise Unanswered(str(error)) from None
        if answer.status >= 500 or answer.code in NOT_DEFINITE:
            raise Unanswered(f"{answer.status} {answer.code}")
        return answer

    def until_answered(self, *request: Any, **body: Any) -> tuple[Answer, int]:
        """Try until there is an answer; returns it with the number of tries. Raises Unanswered long after the end."""
        tries, gives_up = 0, 0.0
        while True:
            tries += 1
            try:
                return self.once(*request, **body), tries
            except Unanswered as error:
                if self.over:
                    gives_up = gives_up or time.monotonic() + PATIENCE
                    if time.monotonic() > gives_up:
                        raise
                if tries % 20 == 0:
                    self.write({"struggles": str(error)[:200], "path": request[1], "tries": tries})
                time.sleep(self.chance.uniform(0.05, 0.4))

    def get(self, path: str, secret: str) -> Any:
        """A read; what is not found or not allowed is None."""
        answer, _ = self.until_answered("GET", path, secret)
        return answer.body if answer.ok else None

    def clock(self) -> str:
        return str(self.get("clock/", self.world["vendor"]["auditor"])["now"])

    def act(self, kind: str, path: str, secret: str, said: Any = None, *, timed: bool = False, **more: Any) -> Answer:
        """One act under a key of its own; `more` goes into the journal. `timed`: with the clock before and after it."""
        op = self.new_op()
        return self.act_as(op, kind, path, secret, said, timed=timed, **more)

    def new_op(self) -> str:
        return f"{self.name}-{next(self.numbers)}"

    def act_as(
        self, op: str, kind: str, path: str, secret: str, said: Any = None, *, timed: bool = False, **more: Any
    ) -> Answer:
        noted = {"op": op, "kind": kind, "path": path, **more}
        if timed:
            noted["clock_before"] = self.clock()
        body = {"fields": said.form()} if isinstance(said, Form) else {"json": said if said is not None else {}}
        self.write({**noted, "begun": time.time()})
        answer, tries = self.until_answered("POST", path, secret, op, **body)
        if timed:
            noted["clock_after"] = self.clock()
        found = answer.body if isinstance(answer.body, dict) else {}
        kept = {name: found[name] for name in KEPT if name in found}
        self.write(
            {
                **noted,
                "answered": time.time(),
                "tries": tries,
                "status": answer.status,
                "code": answer.code,
                "digest": answer.digest,
                "result": kept,
                **({"detail": str(found.get("detail", ""))[:300]} if not answer.ok else {}),
            }
        )
        if not isinstance(said, Form):
            self.repeatable = [
                *self.repeatable[-40:],
                ({"path": path, "secret": secret, "key": op, "json": said}, answer.digest),
            ]
        return answer

    def ask_again(self) -> None:
        """Send an act that was answered once more: the answer must be the same."""
        if not self.repeatable:
            return
        sent, digest = self.chance.choice(self.repeatable)
        said = sent["json"] if sent["json"] is not None else {}
        answer, _ = self.until_answered("POST", sent["path"], sent["secret"], sent["key"], json=said)
        self.write(
            {"again": sent["key"], "same": answer.digest == digest, "status": answer.status, "code": answer.code}
        )

    def pick(self, weights: dict[str, float]) -> str:
        return self.chance.choices(list(weights), weights=list(weights.values()))[0]


KEPT = (
    "id",
    "status",
    "revision",
    "approved_amount",
    "claimed_amount",
    "created",
    "changed",
    "import",
    "claims_close_on",
)


class Form:
    """A form with a file."""

    def __init__(self, file: tuple[str, bytes, str], fields: Sequence[tuple[str, str]] = ()) -> None:
        self.file, self.fields = file, fields

    def form(self) -> list[tuple[str, Any]]:
        return [*self.fields, ("file", self.file)]
