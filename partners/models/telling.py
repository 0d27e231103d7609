"""How people are told: the outbox of events, notices, the mails that carry them, and the calendar feed.

Two clocks are at work. What is told, and on which day, follows the product's clock (`coop_now()`, which stands still in a
sandbox). Retries and leases of what goes over a network follow the wall clock and are named `..._wall`.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from partners import states
from partners.models.people import Event, Partner, Person


class Untold(models.Model):
    """An event of which nobody was told yet: the outbox.

    A trigger writes the row together with the event, whoever writes that, so no event can be forgotten; telling deletes it
    in the transaction that writes the notices and the deliveries. Events of one record become visible here in their order,
    because their writers wait for each other's lock on the record.
    """

    event = models.OneToOneField(Event, models.CASCADE, primary_key=True, db_constraint=False, related_name="+")

    class Meta:
        verbose_name = "untold event"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, person: Person) -> NoticeQuerySet:
        return self.filter(person=person)

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at__isnull=True)


class Notice(models.Model):
    """One thing that one person is told, once: `key` says what it is about and is used once for a person.

    The words are kept as they were written. `at` is the instant that it is about, `deadline_at` the last instant to act, both
    shown in the zone of the program (`zone`) and in the reader's own. `mail_at` is when a mail should carry it (quiet hours and
    digests are in it already), empty where the person wants none.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="notices", db_index=False)
    key = models.CharField(max_length=160)
    kind = models.CharField(max_length=30, choices=[(kind, name) for kind, (name, _) in states.NOTICES.items()])
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+", db_index=False)
    subject_type = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    text = models.TextField()
    link = models.CharField(max_length=300)
    at = models.DateTimeField()
    deadline_at = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail_at = models.DateTimeField(null=True)
    mail = models.ForeignKey("Mail", models.SET_NULL, null=True, related_name="notices")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="notice_is_given_once"),
            models.CheckConstraint(name="notice_kind_is_known", condition=Q(kind__in=list(states.NOTICES))),
        ]
        indexes = [
            models.Index(fields=["person", "-id"], name="notice_by_person"),
            models.Index(fields=["mail_at"], name="notice_to_mail", condition=Q(mail__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title


class Mail(models.Model):
    """A mail to one person, with one notice or a digest of them, from when it is written until a server took it.

    `message_id` is made once, so that a mail which is sent again after a crash shows as one. It is kept, so that the demo
    shows what was sent and support can say it.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="mails", db_index=False)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    headers = models.JSONField(default=dict)
    message_id = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField()
    status = models.CharField(max_length=10, default="waiting", choices=list(states.SENDING.items()))
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_wall = models.DateTimeField(db_default=Now())
    sent_wall = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="mail_status_is_known", condition=Q(status__in=list(states.SENDING)))
        ]
        indexes = [
            models.Index(fields=["next_try_wall"], name="mail_to_send", condition=Q(status="waiting")),
            models.Index(fields=["person", "-id"], name="mail_by_person"),
        ]

    def __str__(self) -> str:
        return self.subject


class NoticeWay(models.Model):
    """How a person wants one kind of notice by mail. Without a row: as the kind says (states.NOTICES)."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="notice_ways", db_index=False)
    kind = models.CharField(max_length=30)
    way = models.CharField(max_length=10, choices=list(states.WAYS.items()))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind"], name="one_way_for_a_kind_of_notice"),
            models.CheckConstraint(name="notice_way_is_known", condition=Q(way__in=list(states.WAYS))),
        ]


class CalendarFeed(models.Model):
    """A person's calendar address. Only the SHA-256 of its secret is kept; a new one ends the old one."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="calendar_feed")
    digest = models.BinaryField(max_length=32, unique=True)
    hidden_programs = models.JSONField(default=list)  # codes
    created_at = models.DateTimeField()
    last_read_wall = models.DateTimeField(null=True)
