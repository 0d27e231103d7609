"""What partners do: write claims with documents, send them early, late and in the very second of the deadline, withdraw them,
mend what was returned, dispute what was declined, and plan. Several processes act for the same partners, on the same money.

Run as `python -m tests.chaos.partners_load HOME PORT NAME SEED`.
"""

from __future__ import annotations

import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from tests.chaos.client import Form, Load
from tests.chaos.papers import PDF, PNG

IN_STOCK = 10  # drafts that wait to be sent near their deadline
NEAR = timedelta(minutes=1)
WEIGHTS = {
    "draft": 10.0,
    "send": 6.0,
    "withdraw": 1.0,
    "mend": 3.0,
    "dispute": 2.0,
    "plan": 1.5,
    "again": 2.0,
    "extend": 0.3,
}


class Partners(Load):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.drafts: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.halves = {(p["program"], p["code"]): p for p in self.world["periods"]}

    def run(self) -> None:
        while not self.over:
            now = datetime.fromisoformat(self.clock())
            if near := [draft for draft in self.drafts if draft["close"] - NEAR <= now]:
                # In the minute before the deadline, at it, and after it: nothing else is of interest now.
                draft = self.chance.choice(near)
                if not self.was_extended(draft):
                    self.send(draft)
                continue
            weights = {**WEIGHTS, "draft": WEIGHTS["draft"] if len(self.drafts) < IN_STOCK else 0.0}
            getattr(self, self.pick(weights))()
            time.sleep(self.chance.uniform(0, 0.05))

    def again(self) -> None:
        self.ask_again()

    def partner(self) -> dict[str, str]:
        """Few partners more often than the others: their money is fought for."""
        partners: list[dict[str, str]] = self.world["partners"]
        return self.chance.choice(partners[:3] if self.chance.random() < 0.3 else partners)

    def fund(self, partner: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]] | None:
        """A fund that takes claims now, with its half."""
        now = datetime.fromisoformat(self.clock())
        open_now = []
        for fund in (self.get("funds/?page_size=20", partner["key"]) or {"results": []})["results"]:
            half = self.halves.get((partner["program"], fund["earning_period_code"]))
            if half and datetime.fromisoformat(half["claims_open_at"]) <= now:
                open_now.append((fund, half))
        # Of the two newest: the older ones are over, and the newest takes what comes after a deadline.
        open_now.sort(key=lambda found: found[1]["use_from"], reverse=True)
        return self.chance.choice(open_now[:2]) if open_now else None

    def rush(self) -> None:
        """Two claims, each for nearly all that there is in a fund, are sent at the same moment: one of them may get it."""
        partner = self.partner()
        found = self.fund(partner)
        if found is None or float(found[0]["available"]) < 100:
            return
        most = f"{int(float(found[0]['available'])) * 9 // 10}.00"
        pair = [draft for draft in (self.write_draft(partner, *found, most) for _ in range(2)) if draft]
        threads = [Thread(target=self.send, args=(draft,)) for draft in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def draft(self) -> None:
        partner = self.partner()
        found = self.fund(partner)
        if found:
            amount = f"{self.chance.randrange(80, 1500)}.{self.chance.randrange(100):02}"
            self.write_draft(partner, *found, amount)

    def write_draft(
        self, partner: dict[str, str], fund: dict[str, Any], half: dict[str, str], amount: str
    ) -> dict[str, Any] | None:
        """A complete draft: about the activity, an invoice, three documents. Its op is its title."""
        key, op = partner["key"], self.new_op()
        first = date.fromisoformat(half["use_from"]) + timedelta(days=self.chance.randrange(10, 30))
        about = {
            "fund": fund["id"],
            "activity": "digital-advertising",
            "title": op,
            "activity_from": first.isoformat(),
            "activity_to": (first + timedelta(days=3)).isoformat(),
            "metrics": {"results-summary": "20 leads"},
        }
        claim = self.act_as(op, "claim", "claims/", key, about)
        if not claim.ok:
            return None
        path = f"claims/{claim.body['id']}"
        op = self.new_op()
        line = {
            "kind": "invoice",
            "supplier": f"Supplier {op}",
            "invoice_number": op,
            "invoiced_on": (first + timedelta(days=3)).isoformat(),
            "amount": amount,
        }
        self.act_as(op, "line", f"{path}/lines/", key, line)
        for kind, data, ending in (("invoice", PDF, "pdf"), ("ad-screenshot", PNG, "png")):
            op = self.new_op()
            file = Form((f"{op}.{ending}", data + op.encode(), "application/octet-stream"), [("kind", kind)])
            self.act_as(op, "document", f"{path}/documents/", key, file)
        page = {"kind": "landing-page-url", "url": f"https://partner.example/{op}"}
        self.act("document", f"{path}/documents/", key, page, named=False)
        close = datetime.fromisoformat(fund["expires_at"])
        self.drafts.append({"claim": claim.body["id"], "close": close, "partner": partner})
        return self.drafts[-1]

    def send(self, draft: dict[str, Any] | None = None) -> None:
        draft = draft or (self.chance.choice(self.drafts) if self.drafts else None)
        if draft is None:
            return
        path = f"claims/{draft['claim']}/submit/"
        answer = self.act("submit", path, draft["partner"]["key"], timed=True, claim=draft["claim"])
        if not answer.ok and answer.code in ("stale", "lock_timeout"):
            return
        self.drafts.remove(draft)
        if answer.ok:
            self.sent.append(draft)

    def withdraw(self) -> None:
        if self.sent:
            sent = self.sent.pop(self.chance.randrange(len(self.sent)))
            self.act("withdraw", f"claims/{sent['claim']}/withdraw/", sent["partner"]["key"], claim=sent["claim"])

    def of_status(self, status: str) -> tuple[dict[str, Any], dict[str, str]] | None:
        partner = self.partner()
        found = (self.get(f"claims/?status={status}&page_size=10", partner["key"]) or {"results": []})["results"]
        return (self.chance.choice(found), partner) if found else None

    def mend(self) -> None:
        if found := self.of_status("action_required"):
            claim, partner = found
            self.act("submit", f"claims/{claim['id']}/submit/", partner["key"], timed=True, claim=claim["id"])

    def dispute(self) -> None:
        if found := self.of_status("rejected"):
            claim, partner = found
            words = {"reason": "The screenshot shows the brand."}
            self.act("dispute", f"claims/{claim['id']}/dispute/", partner["key"], words, claim=claim["id"])

    def plan(self) -> None:
        """A plan of one activity, sent at once; or one that was approved is given up."""
        partner = self.partner()
        key = partner["key"]
        plans = (self.get("plans/?status=approved&page_size=10", key) or {"results": []})["results"]
        if plans and self.chance.random() < 0.4:
            plan = self.chance.choice(plans)
            self.act("cancel_plan", f"plans/{plan['id']}/cancel/", key, {"reason": "Not this half."}, plan=plan["id"])
            return
        found = self.fund(partner)
        if found is None:
            return
        fund, half = found
        first = date.fromisoformat(half["use_from"]) + timedelta(days=60)
        activity = {
            "activity": "digital-advertising",
            "title": "Spring",
            "starts_on": first.isoformat(),
            "ends_on": (first + timedelta(days=9)).isoformat(),
            "requested_amount": f"{self.chance.randrange(100, 900)}.00",
            "expected_outcome": "30 leads",
        }
        op = self.new_op()
        made = self.act_as(op, "plan", "plans/", key, {"fund": fund["id"], "title": op, "activities": [activity]})
        if made.ok:
            self.act("submit_plan", f"plans/{made.body['id']}/submit/", key, plan=made.body["id"])

    def was_extended(self, draft: dict[str, Any]) -> bool:
        """Whether its deadline is later by now than it was when it was written."""
        claim = self.get(f"claims/{draft['claim']}/", draft["partner"]["key"])
        close = datetime.fromisoformat(claim["submit_by"]) if claim else draft["close"]
        later, draft["close"] = close > draft["close"], close
        return bool(later)

    def extend(self) -> None:
        """Ask for a later deadline."""
        partner = self.partner()
        found = self.fund(partner)
        if found is None:
            return
        _fund, half = found
        until = date.fromisoformat(half["claims_close_on"]) + timedelta(days=self.chance.choice((2, 4)))
        body = {"earning_period": half["id"], "until": until.isoformat(), "because": "The agency is late."}
        self.act("ask_extension", "extensions/", partner["key"], body)


def main() -> None:
    home, port, name, seed = sys.argv[1:5]
    Partners(Path(home), int(port), name, seed).run()


if __name__ == "__main__":
    main()
