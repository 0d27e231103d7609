"""What a new user of a sandbox is told at each start: who there is, and what to look at first."""

from coop.people import PASSWORD
from partners.models import Person

SHOWN_OF_PARTNERS = 8


def welcome() -> str:
    """Return the text that `manage.py up` prints under the address of a sandbox."""
    people = Person.objects.filter(is_active=True).select_related("partner").order_by("id")
    vendors = [person for person in people if person.is_vendor]
    partners = [person for person in people if not person.is_vendor]
    lines = [f"Sign in as one of these people; the password of all is {PASSWORD}", ""]
    lines += [_line(person, "the vendor") for person in vendors]
    lines += [_line(person, str(person.partner)) for person in partners[:SHOWN_OF_PARTNERS]]
    if len(partners) > SHOWN_OF_PARTNERS:
        lines.append(f"  and {len(partners) - SHOWN_OF_PARTNERS} more at the partners")
    return "\n".join([*lines, "", "What to look at first:", *_first_steps(partners), ""])


def _line(person: Person, company: str) -> str:
    title = f", {person.get_title_display()}" if person.title else ""
    return f"  {person.email:<34} {person.role_name} at {company}{title}"


def _first_steps(partners: list[Person]) -> list[str]:
    if not partners:
        return [
            "  finance@vendor.example: import a file of earnings, or send lines to /api/v1/earnings/",
            "  manage.py create_api_key --user program@vendor.example: a key for the API",
            "  every page's banner: move the sandbox's clock, and see funds open and expire",
        ]
    return [
        f"  {partners[0].email}: what money is there, when it expires, and a claim from start to receipt",
        "  manager@vendor.example: the worklist, and the decision on a claim line by line",
        "  finance@vendor.example: an import, and a payment run that finance2@ approves",
        "  every page's banner: move the sandbox's clock, and see funds open and expire",
    ]
