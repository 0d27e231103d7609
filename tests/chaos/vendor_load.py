"""What the vendor's people do: review claims and plans, send earnings, pay. Two reviewers decide on the same claims.

Run as `python -m tests.chaos.vendor_load HOME PORT NAME SEED`; the name's first word says which (manager, pcmm, finance).
"""

from __future__ import annotations

import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.chaos.client import Form, Load

CHECKED_WITHIN = 60.0  # seconds for the worker to check a file


class Reviewer(Load):
    """Decides what waits: claims, disputes and plans."""

    def run(self) -> None:
        key = self.world["vendor"][self.name.split("-")[0]]
        weights = {"claims": 10.0, "disputes": 2.0, "plans": 2.0, "again": 1.0}
        while not self.over:
            what = self.pick(weights)
            if what == "again":
                self.ask_again()
            elif what == "plans":
                self.plans(key)
            else:
                status = "disputed" if what == "disputes" else self.pick({"submitted": 3.0, "in_review": 1.0})
                found = (self.get(f"claims/?status={status}&page_size=20", key) or {"results": []})["results"]
                if found:
                    self.decide(self.chance.choice(found), key)
            time.sleep(self.chance.uniform(0, 0.2))

    def decide(self, claim: dict[str, Any], key: str) -> None:
        path, noted = f"claims/{claim['id']}", {"claim": claim["id"]}
        if claim["status"] == "disputed":
            outcome = self.pick({"grant": 2.0, "uphold": 2.0, "return": 1.0})
            body: dict[str, Any] = {"outcome": outcome, "reason": "Looked at once more."}
            if outcome == "return":
                body["fixes"] = [{"message": "Show the brand."}]
            self.act("decide_dispute", f"{path}/decide_dispute/", key, body, **noted)
            return
        what = self.pick({"approve": 5.0, "less": 2.0, "return": 2.0, "reject": 2.0, "start_review": 1.0})
        if what == "less":
            line = claim["lines"][0]
            less = f"{int(float(line['amount'])) // 2}.00"
            said = {"id": line["id"], "decision": "approve_less", "approved_amount": less, "reason": "Half of it."}
            self.act("approve", f"{path}/approve/", key, {"decisions": [said]}, **noted)
        elif what == "return":
            self.act("return", f"{path}/return/", key, {"fixes": [{"message": "Show the brand."}]}, **noted)
        elif what == "reject":
            self.act("reject", f"{path}/reject/", key, {"reason": "The brand is not seen."}, **noted)
        else:
            self.act(what, f"{path}/{what}/", key, **noted)

    def plans(self, key: str) -> None:
        found = (self.get("plans/?status=submitted&page_size=20", key) or {"results": []})["results"]
        if not found:
            return
        plan = self.chance.choice(found)
        what = self.pick({"approve": 3.0, "return": 1.0, "decline": 1.0})
        rows = [
            {"id": row["id"], "decision": what, **({} if what == "approve" else {"reason": "Too dear."})}
            for row in plan["activities"]
        ]
        body = {"decisions": rows, "note": "Decided."}
        self.act(f"{what}_plan", f"plans/{plan['id']}/{what}/", key, body, plan=plan["id"])


class Finance(Load):
    """Sends earnings line by line and as files, corrects some, adjusts, and pays what was approved."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.brought: set[str] = {"FY24-H1", "FY24-H2"}  # the world has them
        self.one, self.two = self.world["vendor"]["finance"], self.world["vendor"]["finance2"]

    def run(self) -> None:
        weights = {"earnings": 5.0, "file": 2.0, "pay": 2.0, "adjust": 1.0, "again": 1.0}
        while not self.over:
            now = datetime.fromisoformat(self.clock())
            getattr(self, self.pick(weights))(now)
            time.sleep(self.chance.uniform(0.1, 0.6))

    def again(self, now: datetime) -> None:
        self.ask_again()

    def half(self, now: datetime) -> tuple[str, date] | None:
        """A half that is being earned or not settled yet, and a day of it that is over."""
        open_now = {
            p["code"]: p
            for p in self.world["periods"]
            if p["earn_from"] < (now - timedelta(days=2)).date().isoformat()
            and now < datetime.fromisoformat(p["settle_at"])
        }
        if not open_now:
            return None
        half = self.chance.choice(list(open_now.values()))
        last = min(date.fromisoformat(half["earn_to"]), (now - timedelta(days=2)).date())
        first = date.fromisoformat(half["earn_from"])
        return half["code"], first + timedelta(days=self.chance.randrange((last - first).days + 1))

    def lines(self, now: datetime) -> list[dict[str, str]]:
        """For a new half enough to reach the threshold for nearly all; after that, a little for a few."""
        found = self.half(now)
        if found is None:
            return []
        code, day = found
        partners, large = self.chance.sample(self.world["partners"], 3), False
        if code not in self.brought:
            self.brought.add(code)
            partners, large = self.world["partners"], True
        return [
            {
                "external_id": f"{self.new_op()}",
                "location": partner["location"],
                "program": partner["program"],
                "earned_on": day.isoformat(),
                "amount": f"{self.chance.randrange(24_000, 40_000) if large else self.chance.randrange(100, 900)}.00",
                "currency": "USD",
            }
            for partner in partners
        ]

    def earnings(self, now: datetime) -> None:
        if lines := self.lines(now):
            ids = [line["external_id"] for line in lines]
            self.act("earnings", "earnings/", self.one, {"lines": lines}, lines=ids)

    def file(self, now: datetime) -> None:
        """A file that a worker checks, committed when it is ready."""
        lines = self.lines(now)
        if not lines:
            return
        rows = "".join(",".join(line.values()) + "\n" for line in lines)
        data = f"external_id,location,program,earned_on,amount,currency\n{rows}".encode()
        sent = self.act("import", "imports/", self.one, Form(("earnings.csv", data, "text/csv")))
        if not sent.ok:
            return
        path = f"imports/{sent.body['id']}"
        waits_until = time.monotonic() + CHECKED_WITHIN
        while (delivery := self.get(f"{path}/", self.one)) and delivery["status"] in ("queued", "running"):
            if self.over or time.monotonic() > waits_until:
                return
            time.sleep(0.3)
        if delivery and delivery["status"] == "ready":
            ids = [line["external_id"] for line in lines]
            self.act("commit", f"{path}/commit/", self.one, delivery=sent.body["id"], lines=ids)

    def adjust(self, now: datetime) -> None:
        """A few cents more for some fund."""
        funds = (self.get("funds/?page_size=50", self.one) or {"results": []})["results"]
        if funds:
            body = {
                "fund": self.chance.choice(funds)["id"],
                "amount": f"{self.chance.randrange(1, 20)}.00",
                "reason_code": "wrong_calculation",
                "effective_on": now.date().isoformat(),
            }
            self.act("adjust", "adjustments/", self.one, body)

    def pay(self, now: datetime) -> None:
        """A run from draft to settled; every tenth payment fails at the bank."""
        run = self.act("run", "payment-runs/", self.one, {"cutoff": now.date().isoformat()})
        if not run.ok:
            return
        path, noted = f"payment-runs/{run.body['id']}", {"run": run.body["id"]}
        if not self.act("approve_run", f"{path}/approve/", self.two, **noted).ok:
            return
        if not self.act("export_run", f"{path}/export/", self.one, **noted).ok:
            return
        payments = self.get(f"payments/?run={run.body['id']}&page_size=200", self.one) or {"results": []}
        results = [
            {"payment": p["id"], "status": "failed", "reason": "Account closed."}
            if self.chance.random() < 0.1
            else {
                "payment": p["id"],
                "status": "sent",
                "sent_on": now.date().isoformat(),
                "bank_reference": f"B{p['id']}",
            }
            for p in payments["results"]
        ]
        self.act("settle_run", f"{path}/results/", self.one, {"results": results}, **noted)


class Admin(Load):
    """Decides who gets a later deadline."""

    def run(self) -> None:
        key = self.world["vendor"]["program"]
        while not self.over:
            asked = (self.get("extensions/?status=asked&page_size=20", key) or {"results": []})["results"]
            if asked:
                extension = self.chance.choice(asked)
                path = f"extensions/{extension['id']}"
                if self.chance.random() < 0.7:
                    body = {"claims_close_on": extension["until"], "reason": "They asked in time."}
                    self.act("grant_extension", f"{path}/grant/", key, body)
                else:
                    self.act("decline_extension", f"{path}/decline/", key, {"reason": "There was time enough."})
            time.sleep(self.chance.uniform(0.5, 1.5))


class Reader(Load):
    """Reads funds all the time: whatever happens, the parts of a fund sum to what came in."""

    def run(self) -> None:
        key = self.world["vendor"]["auditor"]
        parts = ("available", "reserved", "in_review", "approved", "paid", "expired", "converted")
        reads = wrong = 0
        while not self.over:
            for fund in (self.get("funds/?page_size=100", key) or {"results": []})["results"]:
                reads += 1
                came = cents(fund["earned"]) + cents(fund["adjustments"])
                if came != sum(cents(fund[part]) for part in parts):
                    wrong += 1
                    self.write({"unsummed": fund})
            time.sleep(self.chance.uniform(0.5, 1.0))
        self.write({"reads": reads, "wrong": wrong})


def cents(text: str) -> int:
    return int(text.replace(".", ""))


WHO = {"manager": Reviewer, "pcmm": Reviewer, "finance": Finance, "program": Admin, "reader": Reader}


def main() -> None:
    home, port, name, seed = sys.argv[1:5]
    WHO[name.split("-")[0]](Path(home), int(port), name, seed).run()


if __name__ == "__main__":
    main()
