"""Lists and pages (V6, V7, V8), against a bare view behind the same gunicorn with the same middleware.

A million claims were sent, some hundred of them by the partner whose pages are asked for.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import time
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import bench.ready as run
from bench import databases, drafts, world
from bench.load import drive, one, request
from bench.measure import Row, median, ratio, rounds
from claims.models import Claim
from claims.operations.sending import submit_claim, withdraw_claim
from coop.children import start_child, stop_children
from coop.lib import clock
from coop.lib.db import execute, rows
from partners.models import Person
from partners.operations import create_api_key

CLAIMS, FUNDS, OPEN = 1_000_000, 20_000, 40
API = "/api/v1/claims/"


def fill(claims: int, funds: int, waiting: int) -> tuple[Person, int]:
    """So many claims that were sent and taken back, and some that wait; a marketer, and a claim that waits."""
    world.make_partners(funds)
    ids = world.make_funds("FY24-H1")
    world.earn(ids)
    world.set_clock(world.CLAIMING)
    made = drafts.make(ids[: waiting + 1])
    at = clock.now()
    for claim_id in made:
        submit_claim(claim_id, by=Claim.objects.get(id=claim_id).created_by, at=at)
    first = Claim.objects.get(id=made[0])
    withdraw_claim(first.pk, by=first.created_by, at=at)
    changed = {"number": "'C' || f.id * 1000 + n", "fund_id": "f.id", "partner_id": "f.partner_id"}
    others = f"funds_fund f, generate_series(1, {claims // funds}) n"
    drafts.copy("claims_claim", "f.id = ANY(%s)", [ids, first.pk], others, changed)
    for table in ("claims_claimline", "claims_document"):
        newest = "(SELECT id, partner_id FROM claims_claim ORDER BY id DESC LIMIT 5000) c"
        drafts.copy(table, "true", [first.pk], newest, {"claim_id": "c.id"}, of="claim_id")
    execute("UPDATE claims_claim SET created_by_id = %s WHERE partner_id = %s", [first.created_by_id, first.partner_id])
    return first.created_by, made[1]


def cookie(person: Person) -> dict[str, str]:
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def page_10_000(port: int, key: dict[str, str]) -> str:
    """The address of the page that begins after half the claims: the cursor of the second page with another key."""
    following = parse_qs(urlsplit(json.loads(one(port, request(API, key)))["next"]).query)["cursor"][0]
    back, *_ = json.loads(base64.urlsafe_b64decode(following + "=" * (-len(following) % 4)))
    ((middle,),) = rows("SELECT (min(id) + max(id)) / 2 FROM claims_claim")
    cursor = base64.urlsafe_b64encode(json.dumps([back, middle]).encode()).decode().rstrip("=")
    return f"{API}?cursor={cursor}"


def queries(path: str, headers: dict[str, str]) -> int:
    """How many statements a page takes, in this process."""
    known = {"Cookie": "HTTP_COOKIE", "Authorization": "HTTP_AUTHORIZATION"}
    client = Client(**{known[name]: value for name, value in headers.items()})
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return len(captured)


def free_port() -> int:
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return attempt.getsockname()[1]


def main() -> None:
    scale, turns = run.asked()
    funds = run.scaled(FUNDS, scale, 60)
    marketer, waiting = fill(run.scaled(CLAIMS, scale, 600), funds, OPEN if scale >= 0.1 else 5)
    databases.settle("bench_web")
    databases.use("bench_web")
    call_command("collectstatic", interactive=False, verbosity=0)
    manager = Person.objects.get(email="manager@vendor.example")
    _, secret = create_api_key(person_id=manager.id, by=None, at=clock.now())
    key, theirs, ours = {"Authorization": f"Bearer {secret}"}, cookie(marketer), cookie(manager)
    port = free_port()
    # As the supervisor runs it (coop/supervisor.py).
    command = "-m gunicorn coop.wsgi:application --no-control-socket --worker-class gthread --workers 2 --threads 4"
    server = start_child(
        [sys.executable, *command.split(), "--bind", f"127.0.0.1:{port}"],
        log=settings.COOP_HOME / "logs" / "web.log",
        env={**os.environ, "COOP_POOL": "1", "DJANGO_SETTINGS_MODULE": "bench.web_settings"},
    )
    try:
        wait_for(port)
        pages = {
            "bare": ("/bench/ok", {}),
            "list": (API, key),
            "far": (page_10_000(port, key), key),
            "home": ("/", theirs),
            "claims": ("/claims/", theirs),
            "worklist": ("/worklist/", ours),
            "review": (f"/review/{waiting}/", ours),
        }
        for path, headers in pages.values():
            one(port, request(path, headers))
        seconds = 4 * min(1, scale * 2)
        took = rounds(
            turns,
            {
                name: lambda path=path, headers=headers: drive(port, request(path, headers), seconds=seconds)
                for name, (path, headers) in pages.items()
            },
        )
        counted = {
            name: queries(path, headers) for name, (path, headers) in pages.items() if name not in ("bare", "far")
        }
    finally:
        stop_children([server], seconds=5)
    run.finish(table(took, counted, rows("SELECT count(*) FROM claims_claim")[0][0]))


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            one(port, request("/bench/ok", {}))
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web server did not start")


def table(took: dict[str, list[float]], counted: dict[str, int], claims: int) -> list[Row]:
    def of(name: str) -> str:
        return f"{1 / median(took[name]):,.0f} a second"

    def share(name: str) -> float:
        return ratio(took["bare"], took[name])

    bare = f"bare view: {of('bare')}"
    names = {
        "home": "home page of a partner",
        "claims": "list of a partner's claims",
        "worklist": "worklist",
        "review": "review page",
    }
    found = [
        Row("V6", "API list of 50 claims with lines and documents", of("list"), bare, share("list"), 0.2, at_most=False)
    ]
    found += [Row("V7", name, of(key), bare, share(key), 0.1, at_most=False) for key, name in names.items()]
    found += [Row("V7", f"statements: {name}", str(counted[key]), "", counted[key], 12) for key, name in names.items()]
    found.append(
        Row(
            "V8",
            f"page 10,000 of {claims:,} claims",
            of("far"),
            f"first page: {of('list')}",
            ratio(took["far"], took["list"]),
            1.3,
        )
    )
    return found


if __name__ == "__main__":
    main()
