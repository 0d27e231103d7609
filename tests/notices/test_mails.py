"""Mails: when they are written, what is in them, and that a real server gets each once, whatever dies on the way."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from coop.lib import clock
from partners import states
from partners.mail_ways import choose_ways
from partners.mailing import TRIES, people_to_mail, send_mails, write_mails
from partners.mailing_times import after_quiet_hours, mail_at, next_digest
from partners.models import Event, Mail, Notice, Person
from partners.operations import deactivate_person
from partners.telling import Telling, tell
from tests import factories as make
from tests.notices.post import MailServer

DEADLINE = datetime(2024, 8, 15, tzinfo=UTC)


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as running:
        use(settings, running)
        yield running


def use(settings: Any, server: MailServer) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5


@pytest.fixture
def reader() -> Person:
    make.set_clock(make.CLAIMING)  # a Monday, 9:00 UTC
    return make.make_person(make.make_partner(), email="mia@cedar.example", name="Mia Okafor")


def something(number: int = 1, kind: str = "deadline", **more: Any) -> Telling:
    values: dict[str, Any] = {
        "kind": kind,
        "key": f"test:{number}",
        "title": f"12,400.00 USD expire in 14 days ({number})",
        "text": "Nobody claimed it yet.\nSend a claim.",
        "link": "/funds/7/",
        "subject_type": "fund",
        "subject": "7",
        "partner_id": None,
        "at": clock.now(),
        "deadline_at": DEADLINE,
        "zone": "America/New_York",
        "amount_minor": 12_400_00,
        "currency": "USD",
    }
    return Telling(**values | more)


def give(person: Person, *tellings: Telling) -> None:
    for telling in tellings:
        tell([person], telling, at=clock.now())


def write() -> list[Mail]:
    """What the job writes now."""
    at = clock.now()
    before = set(Mail.objects.values_list("id", flat=True))
    write_mails(people_to_mail(at), at=at)
    return list(Mail.objects.exclude(id__in=before).order_by("id"))


def prefer(person: Person, zone: str = "UTC", quiet: tuple[int, int] | None = None, **ways: str) -> None:
    first, last = (time(quiet[0]), time(quiet[1])) if quiet else (None, None)
    choose_ways(ways, time_zone=zone, quiet_from=first, quiet_to=last, by=person, at=clock.now())
    person.refresh_from_db()


# --- When -------------------------------------------------------------------------------------------------------------


def wall(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("zone", "quiet", "at", "goes"),
    [
        ("Europe/Berlin", (20, 7), "2024-03-04 19:59", "2024-03-04 19:59"),
        ("Europe/Berlin", (20, 7), "2024-03-04 20:00", "2024-03-05 07:00"),
        ("Europe/Berlin", (20, 7), "2024-03-05 06:59", "2024-03-05 07:00"),
        ("Europe/Berlin", (20, 7), "2024-03-05 07:00", "2024-03-05 07:00"),
        ("Europe/Berlin", (12, 14), "2024-03-05 13:00", "2024-03-05 14:00"),
        ("Europe/Berlin", (20, 7), "2024-03-30 23:00", "2024-03-31 07:00"),  # the night in which summer time begins
        ("America/New_York", (22, 6), "2024-11-02 23:30", "2024-11-03 06:00"),  # and one in which it ends
        ("Europe/Berlin", None, "2024-03-05 03:00", "2024-03-05 03:00"),
    ],
)
def test_quiet_hours_are_those_of_the_reader_s_wall(
    zone: str, quiet: tuple[int, int] | None, at: str, goes: str
) -> None:
    person = Person(time_zone=zone)
    if quiet:
        person.quiet_from, person.quiet_to = time(quiet[0]), time(quiet[1])
    assert after_quiet_hours(person, wall(at, zone)) == wall(goes, zone)


@given(
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    first=st.integers(0, 23),
    last=st.integers(0, 23),
    minutes=st.integers(0, 60 * 24 * 366),
)
def test_no_mail_goes_in_quiet_hours_nor_more_than_a_day_late(zone: str, first: int, last: int, minutes: int) -> None:
    person = Person(time_zone=zone, quiet_from=time(first), quiet_to=time(last))
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    goes = after_quiet_hours(person, at)
    assert at <= goes <= at + timedelta(hours=25)
    assert after_quiet_hours(person, goes) == goes
    digest = next_digest(person, at)
    assert at < digest <= at + timedelta(hours=25)


@pytest.mark.django_db
def test_a_mail_that_would_come_after_its_deadline_goes_at_once(reader: Person) -> None:
    prefer(reader, "UTC", (20, 7), deadline="digest")
    at = datetime(2024, 8, 14, 21, tzinfo=UTC)
    assert mail_at(reader, "deadline", at) == datetime(2024, 8, 15, 7, tzinfo=UTC)
    assert mail_at(reader, "deadline", at, DEADLINE) == at
    assert mail_at(reader, "deadline", at, DEADLINE + timedelta(days=1)) == datetime(2024, 8, 15, 7, tzinfo=UTC)


# --- What is written --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_mail_says_what_is_at_stake_and_until_when_by_both_clocks(reader: Person) -> None:
    prefer(reader, "Asia/Tokyo")
    give(reader, something())
    [mail] = write()
    assert mail.subject == "12,400.00 USD expire in 14 days (1)"
    for part in (mail.text, mail.html):
        assert "12,400.00 USD" in part
        assert "14 Aug 2024, 19:59:59 America/New_York" in part
        assert "15 Aug 2024, 08:59:59 Asia/Tokyo" in part
        assert "http://127.0.0.1:8000/funds/7/" in part
        assert "/mails/stop/" in part
    assert "<" not in mail.text
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.django_db
def test_names_that_somebody_wrote_do_no_harm_in_a_mail(reader: Person) -> None:
    give(
        reader, something(title="A\r\nBcc: x@y.example <script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    )
    [mail] = write()
    assert "\n" not in mail.subject
    assert "<script" not in mail.html
    assert "<img" not in mail.html


@pytest.mark.django_db
def test_a_digest_is_one_mail_in_the_morning_without_what_was_read(reader: Person) -> None:
    prefer(reader, "UTC", deadline="digest", forecast="digest")
    give(reader, something(1), something(2, "forecast", deadline_at=None), something(3))
    Notice.objects.filter(key="test:3").update(read_at=clock.now())
    assert write() == []
    make.set_clock(datetime(2024, 3, 5, 7, tzinfo=UTC))
    [mail] = write()
    assert mail.subject == "2 notices: 12,400.00 USD expire in 14 days (1)"
    assert sorted(mail.notices.values_list("key", flat=True)) == ["test:1", "test:2"]
    assert write() == []


@pytest.mark.django_db
def test_many_notices_of_one_instant_share_a_mail_and_few_do_not(reader: Person) -> None:
    give(reader, *(something(number) for number in range(3)))
    assert len(write()) == 3
    give(reader, *(something(number) for number in range(10, 14)))
    assert [mail.subject for mail in write()] == ["4 notices: 12,400.00 USD expire in 14 days (10)"]


@pytest.mark.django_db
def test_who_wants_no_mail_or_left_gets_none_and_the_notice_stays(reader: Person) -> None:
    prefer(reader, deadline=states.NO_MAIL)
    give(reader, something(1))
    prefer(reader, deadline=states.INSTANT)
    give(reader, something(2))
    prefer(reader, deadline=states.NO_MAIL)  # after the notice was given, before its mail
    assert write() == []
    prefer(reader, deadline=states.INSTANT)
    give(reader, something(3))
    deactivate_person(reader.pk, by=make.vendor(), at=clock.now())
    assert write() == []
    assert reader.notices.count() == 3


# --- Sending ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_real_server_gets_the_mail_with_its_text_and_html(server: MailServer, reader: Person) -> None:
    give(reader, something())
    [mail] = write()
    assert send_mails(at=clock.now()).sent == 1
    [message] = server.taken
    assert (message["To"], message["Message-ID"]) == ("mia@cedar.example", mail.message_id)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]
    assert "14 Aug 2024, 19:59:59 America/New_York" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert send_mails(at=clock.now()).sent == 0
    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.sent_wall is not None) == ("sent", 1, True)


@pytest.mark.django_db
def test_a_server_that_is_down_gets_the_mail_when_it_is_back(settings: Any, reader: Person) -> None:
    with MailServer() as gone:
        use(settings, gone)
    give(reader, something())
    write()
    down = send_mails(at=clock.now())
    assert (down.sent, down.later) == (0, 1)
    assert send_mails(at=clock.now()).later == 0  # not before its gap is over
    with MailServer() as back:
        use(settings, back)
        due_now()
        assert send_mails(at=clock.now()).sent == 1
        assert len(back.taken) == 1


def due_now() -> None:
    Mail.objects.update(next_try_wall=datetime(2000, 1, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_an_address_that_does_not_exist_is_given_up_and_the_others_go_on(server: MailServer, reader: Person) -> None:
    other = make.make_person(make.make_partner("Tailspin"), email="bo@tailspin.example")
    server.post.refuses["mia@cedar.example"] = "550 No such box"
    give(reader, something())
    give(other, something())
    write()
    done = send_mails(at=clock.now())
    assert (done.sent, done.failed) == (1, 1)
    assert [message["To"] for message in server.taken] == ["bo@tailspin.example"]
    refused = Mail.objects.get(person=reader)
    assert (refused.status, refused.error) == ("failed", "550 No such box")
    assert Event.objects.get(verb="mail.gave_up").vendor_only


@pytest.mark.django_db
def test_a_full_box_is_tried_for_three_days_and_then_given_up(server: MailServer, reader: Person) -> None:
    server.post.refuses["mia@cedar.example"] = "452 Box full"
    give(reader, something())
    write()
    for _ in range(TRIES):
        assert Mail.objects.get().status == "waiting"
        due_now()
        send_mails(at=clock.now())
    assert Mail.objects.get().status == "failed"


@pytest.mark.django_db
def test_a_mail_goes_to_the_address_of_today_and_not_to_who_has_left(server: MailServer, reader: Person) -> None:
    give(reader, something(1))
    write()
    Person.objects.filter(id=reader.pk).update(email="mia.okafor@cedar.example")
    send_mails(at=clock.now())
    assert [message["To"] for message in server.taken] == ["mia.okafor@cedar.example"]
    give(reader, something(2))
    write()
    deactivate_person(reader.pk, by=make.vendor(), at=clock.now())
    assert send_mails(at=clock.now()).failed == 1
    assert len(server.taken) == 1


def send_and_die(port: int, database: dict[str, Any]) -> None:
    """In a process of its own: send, and be killed after the server took the mail and before that is written down."""
    from django.conf import settings  # noqa: PLC0415 - the child sets up its own

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    connection.close()
    connection.settings_dict.update(database)
    with connection.execute_wrapper(die_at_the_mark):
        send_mails(at=clock.now())


def die_at_the_mark(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if "status = 'sent'" in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_after_the_server_took_a_mail_sends_it_again_under_the_same_id(
    server: MailServer, reader: Person
) -> None:
    give(reader, something())
    [mail] = write()
    fork = multiprocessing.get_context("fork")
    database = {"NAME": connection.settings_dict["NAME"]}
    connection.close()
    child = fork.Process(target=send_and_die, args=(server.port, database))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert send_mails(at=clock.now()).sent == 0  # leased still
    due_now()
    assert send_mails(at=clock.now()).sent == 1
    assert [message["Message-ID"] for message in server.taken] == [mail.message_id] * 2


# --- The pages --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_people_choose_what_they_get_and_see_what_was_sent(reader: Person) -> None:
    client = Client()
    client.force_login(reader)
    shown = client.get("/account/notices/").content.decode()
    assert "A deadline comes near" in shown
    assert "A job, a webhook or a mail failed" not in shown
    form = {kind: "none" for kind in states.NOTICES if f'name="{kind}"' in shown}
    form |= {"time_zone": "Asia/Tokyo", "quiet_from": "20:00", "quiet_to": "07:00"}
    assert client.post("/account/notices/", form | {"quiet_to": ""}).context["form"].errors["quiet_to"] == [
        "Give both ends of the quiet hours, or neither."
    ]
    assert client.post("/account/notices/", form).status_code == 302
    reader.refresh_from_db()
    assert (reader.time_zone, reader.quiet_from, reader.quiet_to) == ("Asia/Tokyo", time(20), time(7))

    prefer(reader, deadline="instant")
    give(reader, something())
    [mail] = write()
    assert mail.subject in client.get("/mails/").content.decode()
    assert "Nobody claimed it yet." in client.get(f"/mails/{mail.pk}/").content.decode()
    policy = client.get(f"/mails/{mail.pk}/body/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy.split("; ")  # which lets no script run


@pytest.mark.django_db
def test_nobody_reads_the_mails_of_others_but_who_looks_after_the_product(reader: Person) -> None:
    give(reader, something())
    [mail] = write()
    for person, status in (
        (make.make_person(reader.partner), 404),
        (make.vendor("manager"), 404),
        (make.vendor(), 200),
    ):
        client = Client()
        client.force_login(person)
        assert client.get(f"/mails/{mail.pk}/").status_code == status
        assert client.get(f"/mails/{mail.pk}/body/").status_code == status
        assert (mail.subject in client.get("/mails/?everybody=1").content.decode()) == (status == 200)


@pytest.mark.django_db
def test_a_link_in_a_mail_ends_the_mails_of_its_kind_without_signing_in(reader: Person) -> None:
    give(reader, something())
    [mail] = write()
    stop = mail.headers["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
    client = Client(enforce_csrf_checks=True)
    assert "End these mails?" in client.get(stop).content.decode()
    assert mail_at(Person.objects.get(id=reader.pk), "deadline", clock.now()) is not None  # a look ends nothing
    assert client.post(stop, {"List-Unsubscribe": "One-Click"}).status_code == 200
    again = Person.objects.get(id=reader.pk)
    assert mail_at(again, "deadline", clock.now()) is None
    assert mail_at(again, "decision", clock.now()) is not None
    assert client.get("/mails/stop/nonsense/").status_code == 404


@pytest.mark.django_db
def test_a_partner_admin_says_who_is_told_when_nobody_acts(reader: Person) -> None:
    admin = make.make_person(reader.partner, "partner_admin")
    client = Client()
    client.force_login(admin)
    shown = client.get("/account/notices/")
    form = {kind.name: kind.value() for kind in shown.context["kinds"]}
    stranger = make.make_person(make.make_partner("Tailspin"))
    refused = client.post("/account/notices/", form | {"time_zone": "UTC", "second_contact": str(stranger.pk)})
    assert "second_contact" in refused.context["form"].errors
    assert (
        client.post("/account/notices/", form | {"time_zone": "UTC", "second_contact": str(reader.pk)}).status_code
        == 302
    )
    reader.partner.refresh_from_db()  # type: ignore[union-attr]
    assert reader.partner.second_contact_id == reader.pk  # type: ignore[union-attr]
