#!/usr/bin/env python3
"""Check a proof of the ledger that Coop exported. Needs nothing but Python 3.9 or newer, neither Coop nor its database.

    python3 verify_proof.py PROOF [--head HASH ...]

An entry's link is the SHA-256 of the link before it (as bytes; none for the first) and of the entry's values as a JSON
array. A head is the same over the head before, its own figures, and its anchors in order of their funds; an anchor is the
link at which a fund stood that day. So whoever changes, removes or adds an entry must change every link, anchor and head
after it. The hash of a head that you kept yourself (--head) must be among them: nobody can rewrite what you hold.
It exits with 0 when everything fits, with 1 when something does not, and with 2 when the file cannot be read.
"""

import argparse
import json
import sys
from hashlib import sha256

ENTRY = (
    "id fund partner currency kind from to amount_minor effective_on recorded_at "
    "actor reference_type reference reason key note"
)


def follow(before, values):
    """The hash (hexadecimal) that continues `before` with these values."""
    return sha256(bytes.fromhex(before or "") + json.dumps(values, ensure_ascii=False).encode()).hexdigest()


class Proof:
    def __init__(self):
        self.faults, self.hashes = [], set()
        self.entries = self.lines = 0
        self.one_fund = self.since = self.end = None
        self.head = self.computed = None  # the head that is being read, and its hash as computed so far
        self.anchors = {}  # fund: {number: (day, link)}, taken out as they are met
        self.fund, self.number, self.link = None, 0, None  # the entry that was read last
        self.places = {}  # fund: last number met

    def wrong(self, sentence):
        self.faults.append(sentence)

    def read(self, line):
        if "head" in line:
            self.close_head()
            head = line["head"]
            self.hashes.add(head["hash"])
            if self.one_fund:
                self.head = head
                return
            if self.head and head["previous"] != self.head["hash"]:
                self.wrong(f"The head of {head['day']} does not continue the head before it.")
            elif not self.head and not self.since and head["previous"]:
                self.wrong(f"The head of {head['day']} is the first in this file, but another was before it.")
            self.head = head
            self.computed = follow(head["previous"], [head["day"], head["at"], head["funds"], head["entries"]])
        elif "anchor" in line:
            anchor = line["anchor"]
            values = [anchor["day"], anchor["fund"], anchor["number"], anchor["link"]]
            if not self.head or anchor["day"] != self.head["day"]:
                self.wrong(f"Fund {anchor['fund']} is anchored on {anchor['day']}, but that head is missing.")
            self.computed = None if self.one_fund else follow(self.computed, values)
            self.anchors.setdefault(anchor["fund"], {})[anchor["number"]] = (anchor["day"], anchor["link"])
        elif "start" in line:
            start = line["start"]
            self.fund, self.number, self.link = start["fund"], start["number"], start["link"]
        elif "end" in line:
            self.end = line["end"]
        else:
            self.read_entry(line)

    def close_head(self):
        # The file of one fund holds that fund's anchors only, from which the head over all funds cannot be computed.
        if self.head and not self.one_fund and self.computed != self.head["hash"]:
            self.wrong(f"The head of {self.head['day']} does not follow from its anchors and the head before.")

    def read_entry(self, line):
        fund, number, entry, link = line["fund"], line["number"], line["entry"], line["link"]
        self.lines += 1
        if number is None:
            self.wrong(f"Fund {fund}: entry {entry['id']} was inserted: it has no link.")
            return
        if fund != self.fund:
            if fund in self.places:
                self.wrong(f"Fund {fund}: its entries stand in two places of the file.")
            self.fund, self.number, self.link = fund, 0, None
        which = f"Fund {fund}: entry {entry['id'] if entry else '?'} at number {number}"
        if number != self.number + 1:
            self.wrong(f"{which} stands after number {self.number}: something is missing, or the order was changed.")
        elif entry is None:
            self.wrong(f"{which} is missing.")
        elif list(entry) != ENTRY.split():
            self.wrong(f"{which} has other fields than an entry.")
        elif entry["fund"] != fund or link != follow(self.link, list(entry.values())):
            self.wrong(f"{which} is not what was recorded.")
        else:
            self.entries += 1
        day, anchored = self.anchors.get(fund, {}).pop(number, (None, link))
        if anchored != link:
            self.wrong(f"Fund {fund}: the link of number {number} is not the one that was anchored on {day}.")
        self.number, self.link = number, link
        self.places[fund] = number
        self.hashes.add(link)

    def close(self, kept):
        self.close_head()
        for fund, left in sorted(self.anchors.items()):
            for number, (day, _) in sorted(left.items()):
                self.wrong(f"Fund {fund}: number {number}, anchored on {day}, is missing.")
        if self.end != self.lines:
            self.wrong(f"The file should end with {self.end} entries and has {self.lines}: it was cut or changed.")
        for hash_ in kept:
            if hash_.strip().lower() not in self.hashes:
                self.wrong(f"The hash that you kept, {hash_[:12]}, is not in this file: it was rewritten after that.")


def main():
    asked = argparse.ArgumentParser(description="Check a proof of the ledger that Coop exported.")
    asked.add_argument("proof", help="the file (JSON lines)")
    asked.add_argument("--head", action="append", default=[], help="a hash that you kept; may be given several times")
    options = asked.parse_args()
    proof = Proof()
    try:
        with open(options.proof, encoding="utf-8") as file:
            first = json.loads(file.readline())
            if first["proof"] != "coop ledger" or first["version"] != 1:
                raise ValueError("it is no proof of the first version")
            proof.one_fund, proof.since = first["fund"], first["since"]
            for text in file:
                proof.read(json.loads(text))
        proof.close(options.head)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{options.proof} cannot be read as a proof: {error!r}", file=sys.stderr)
        return 2
    for sentence in proof.faults:
        print(sentence)
    head = f"the last head is {proof.head['hash']} of {proof.head['day']}" if proof.head else "there is no head in it"
    kept = " The hashes that you kept are in it." if options.head and not proof.faults else ""
    if proof.faults:
        print(
            f"NOT as recorded: {len(proof.faults)} faults, {proof.entries:,} of {proof.lines:,} entries match; {head}."
        )
        return 1
    print(f"{proof.entries:,} entries match; {head}.{kept}")
    if proof.one_fund:
        print("This is the file of one fund: that its anchors belong to the head is shown by the file of all funds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
