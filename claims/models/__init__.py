"""What the money is for: the catalog and its rules, plans, claims, their evidence and decisions."""

from claims.models.catalog import Activity, Category, Publication, RuleDraft, valid_on
from claims.models.claims import Claim, ClaimLine, ClaimQuerySet, Invitation
from claims.models.decisions import Decision
from claims.models.documents import Document, Duplicate, SamePicture, StoredFile
from claims.models.numbers import new_claim_number, new_plan_number
from claims.models.plans import Plan, PlanActivity, PlanQuerySet

__all__ = [
    "Activity",
    "Category",
    "Claim",
    "ClaimLine",
    "ClaimQuerySet",
    "Decision",
    "Document",
    "Duplicate",
    "Invitation",
    "Plan",
    "PlanActivity",
    "PlanQuerySet",
    "Publication",
    "RuleDraft",
    "SamePicture",
    "StoredFile",
    "new_claim_number",
    "new_plan_number",
    "valid_on",
]
