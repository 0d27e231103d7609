"""The files that back a claim, and evidence that was seen twice."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from claims import states
from claims.models.claims import Claim, ClaimLine, Invitation
from coop.lib.constraints import one_of
from partners import states as roles
from partners.models import Person


class StoredFile(models.Model):
    """Bytes, kept once whoever sends them, named by their SHA-256. They go when they are old; hash, size and type stay.

    `picture` is a print of 64 bits by which the same picture is found again after it was scaled or saved anew; empty for
    what is no picture, or shows nothing. `pages` counts the preview's pictures, which lie beside the file; a preview without
    pictures is a text. `checked_at` is when the bytes were last seen to have their hash. A row that was deleted names its
    bytes until they are gone too.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    file = models.FileField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    picture = models.BigIntegerField(null=True)
    preview = models.CharField(max_length=10, default="waiting")
    preview_note = models.CharField(max_length=300, blank=True)
    preview_tries = models.PositiveSmallIntegerField(default=0)
    pages = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="preview_state_is_known", condition=one_of("preview", states.PREVIEWS)),
            models.CheckConstraint(
                name="stored_file_has_its_bytes_or_was_deleted", condition=~Q(file="") | Q(deleted_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["picture"], name="stored_file_by_picture", condition=Q(picture__isnull=False)),
            models.Index(fields=["id"], name="stored_file_to_preview", condition=Q(preview="waiting")),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class SamePicture(models.Model):
    """Two stored pictures whose prints differ in a few bits. Found once, when the later one got its print."""

    stored = models.ForeignKey(StoredFile, models.CASCADE, related_name="+")
    other = models.ForeignKey(StoredFile, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stored", "other"], name="a_pair_of_pictures_is_found_once"),
            models.CheckConstraint(name="a_picture_is_like_an_earlier_one", condition=Q(other__lt=F("stored"))),
        ]

    def __str__(self) -> str:
        return f"{self.stored_id} is like {self.other_id}"


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, person: Person) -> DocumentQuerySet:
        """Documents of the claims that the person sees; a guest's, while one is asked to do their task, are those
        that one gave for it oneself."""
        seen = Q(claim__in=Claim.objects.visible_to(person))
        if person.is_authenticated and person.is_active and person.role == roles.AGENCY:
            asked = Invitation.objects.open().filter(person=person)
            mine = Q(claim__in=asked.filter(task="proof").values("claim")) & ~Q(kind__in=states.MONEY_EVIDENCE)
            for kind in states.MONEY_EVIDENCE:
                mine |= Q(claim__in=asked.filter(task=kind).values("claim"), kind=kind)
            seen = Q(uploaded_by=person) & mine
        return self.filter(seen)


class Document(models.Model):
    """A file, or a link, that backs a claim. The bytes are kept as they came; `sha256` says which they were.

    `kind` is invoice, csr, or the code of a proof that the activity asks for. `reused_from` is where the same evidence was
    given before; `signed_at` marks a CSR that was made and signed in the product.
    """

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="documents")
    line = models.ForeignKey(ClaimLine, models.SET_NULL, null=True, blank=True, related_name="documents")
    kind = models.CharField(max_length=40)
    stored = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="documents")
    url = models.URLField(max_length=500, blank=True)
    filename = models.CharField(max_length=120, blank=True)
    dated_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    reused_from = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    signed_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=12, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    uploaded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="document_is_a_file_or_a_link",
                condition=Q(stored__isnull=False, url="") | (Q(stored__isnull=True) & ~Q(url="")),
            ),
            models.CheckConstraint(
                name="document_decision_is_known",
                condition=Q(decision="") | one_of("decision", states.DOCUMENT_DECISIONS),
            ),
            models.CheckConstraint(
                name="document_decision_other_than_acceptance_has_a_reason",
                condition=Q(decision__in=["", "accept"]) | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.filename or self.url

    @property
    def sha256(self) -> str:
        return self.stored.sha256 if self.stored else ""

    @property
    def size(self) -> int:
        return self.stored.size if self.stored else 0

    @property
    def media_type(self) -> str:
        return self.stored.media_type if self.stored else ""


def unordered(one: str, other: str) -> tuple[F, Least, Greatest]:
    """A pair, whichever of the two stands first."""
    return F("kind"), Least(one, other), Greatest(one, other)


class Duplicate(models.Model):
    """Two pieces of evidence that look the same, in two claims or in one. A warning, never a verdict.

    Of each pair there is one row a kind; `claim` is the one that came later, `other` the earlier.
    """

    kind = models.CharField(max_length=10)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="duplicates")
    other = models.ForeignKey(Claim, models.CASCADE, related_name="duplicates_of")
    document = models.ForeignKey(Document, models.CASCADE, null=True, related_name="+")
    other_document = models.ForeignKey(Document, models.CASCADE, null=True, related_name="+")
    line = models.ForeignKey(ClaimLine, models.CASCADE, null=True, related_name="+")
    other_line = models.ForeignKey(ClaimLine, models.CASCADE, null=True, related_name="+")
    found_at = models.DateTimeField()
    resolution = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    resolved_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    kept_because = models.CharField(max_length=500, blank=True)  # what the partner says to it

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="duplicate_kind_is_known", condition=one_of("kind", states.DUPLICATE_KINDS)),
            models.CheckConstraint(
                name="duplicate_is_of_two_documents_or_two_lines",
                condition=Q(
                    document__isnull=False, other_document__isnull=False, line__isnull=True, other_line__isnull=True
                )
                & ~Q(document=F("other_document"))
                | Q(document__isnull=True, other_document__isnull=True, line__isnull=False, other_line__isnull=False)
                & ~Q(line=F("other_line")),
            ),
            models.CheckConstraint(
                name="duplicate_is_resolved_with_a_reason",
                condition=Q(resolution="", resolved_by__isnull=True, resolved_at__isnull=True)
                | one_of("resolution", states.RESOLUTIONS)
                & Q(resolved_by__isnull=False, resolved_at__isnull=False)
                & ~Q(reason=""),
            ),
            models.UniqueConstraint(
                *unordered("document", "other_document"),
                name="a_pair_of_documents_is_found_once",
                condition=Q(document__isnull=False),
            ),
            models.UniqueConstraint(
                *unordered("line", "other_line"),
                name="a_pair_of_lines_is_found_once",
                condition=Q(line__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.claim_id} and {self.other_id}"
