"""What a new user of a sandbox is told: who there is, with which password, and what to look at first."""

from __future__ import annotations

from typing import TypedDict

from django.conf import settings

from coop.people import PASSWORD
from coop.story.cast import PEOPLE
from partners.models import Person

WIDTH = 28
# Why one would sign in as one of the vendor's people; without a reason they stand in the list of an empty sandbox only.
VENDOR_LOOKS = {
    "manager@vendor.example": "the worklist of all partners: plans, claims, a dispute",
    "finance@vendor.example": "an earnings file to check and commit, and payment runs",
    "finance2@vendor.example": "the second pair of eyes: approve the run that finance@ prepared",
    "program@vendor.example": "the key for all that the API writes: partners, people, enrollments",
    "program2@vendor.example": "the second pair of eyes: publish rules that program@ asked for",
    "auditor@vendor.example": "everything, and nothing to change",
    "pcmm@vendor.example": "",
    "gtm@vendor.example": "",
    "tomas@vendor.example": "a portfolio of four partners, and nothing of the others",
    "luis@vendor.example": "",
    "hana@vendor.example": "",
}
LOOKS = VENDOR_LOOKS | {email: look for people in PEOPLE.values() for email, _, _, look in people}
FIRST = ("mia@cedarridge.example", "manager@vendor.example", "finance@vendor.example", "finance2@vendor.example")


class DemoPerson(TypedDict):
    """One line of the sign-in page of a sandbox. `look` may be empty."""

    email: str
    name: str
    password: str
    role: str
    company: str
    look: str


def demo_people() -> list[DemoPerson]:
    """The people of a sandbox whom one would try, in that order; without a story the vendor's. Nobody outside a sandbox."""
    if not settings.SANDBOX:
        return []
    people = Person.objects.filter(is_active=True, email__in=LOOKS).select_related("partner")
    order = list(dict.fromkeys((*FIRST, *LOOKS)))
    told = any(person.partner for person in people)
    return [
        {
            "email": person.email,
            "name": person.name,
            "password": PASSWORD,
            "role": person.role_name,
            "company": person.partner.name if person.partner else "the vendor",
            "look": LOOKS[person.email],
        }
        for person in sorted(people, key=lambda person: order.index(person.email))
        if LOOKS[person.email] or not told
    ]


def welcome() -> str:
    """The text that `manage.py up` prints under the address of a sandbox."""
    people = demo_people()
    lines = [f"Sign in as one of these people; the password of all is {PASSWORD}", ""]
    lines += [f"  {person['email']:<{WIDTH}} {person['role']:<16} {person['look']}".rstrip() for person in people]
    told = any(person["company"] != "the vendor" for person in people)
    return "\n".join([*lines, "", "What to look at first:", *(STORY_STEPS if told else EMPTY_STEPS), ""])


STORY_STEPS = (
    "  1. mia@: what expires on 14 August, and the claim that came back with four things to mend",
    "  2. manager@: take a claim from the worklist, decide it line by line; then look at it as mia@",
    "  3. finance@ and finance2@: commit the import that is ready, approve the run that waits",
    "  4. any page's banner: move the clock past 14 August and see what is left expire",
)
EMPTY_STEPS = (
    "  1. manage.py create_api_key --user program@vendor.example: a key, with which partners are made",
    "  2. finance@: import a file of earnings, or send lines to /api/v1/earnings/",
    "  3. any page's banner: move the clock and see funds open and expire",
)
