"""Who is in the story: partners of four countries, their locations and enrollments, their people and channel managers."""

from __future__ import annotations

from datetime import date, datetime

from coop.people import load_vendor_people
from funds.operations.enrollments import enroll
from partners.mail_ways import choose_ways
from partners.models import Location, Partner, Person
from partners.operations import create_location, create_partner, create_person, set_payout_account

# The vendor's number, name and country of each partner, and of its locations number and town.
PARTNERS = (
    ("P-10412", "Cedar Ridge Cloud", "US", (("5512301", "Denver"), ("5512302", "Austin"), ("5512303", "Boise"))),
    ("P-10977", "Harbor & Pine IT", "US", (("5540117", "Portland"),)),
    ("P-20318", "Lindenhof Systeme", "DE", (("6120450", "Leipzig"), ("6120451", "Hamburg"))),
    ("P-20655", "Kranich Datendienste", "DE", (("6133908", "Rostock"),)),
    ("P-30129", "Alder & Wren Consulting", "GB", (("7204416", "Bristol"), ("7204417", "Leeds"))),
    ("P-30540", "Tidewater Hosting", "GB", (("7219032", "Cardiff"),)),
    ("P-40087", "Hoshikawa Solutions", "JP", (("8300721", "Osaka"), ("8300722", "Fukuoka"))),
    ("P-40362", "Asagiri Cloud", "JP", (("8311265", "Sendai"),)),
)

# Where the people of a country live, for the time that their notices show.
ZONES = {"US": "America/Denver", "DE": "Europe/Berlin", "GB": "Europe/London", "JP": "Asia/Tokyo"}

RESELLER, DIRECT, HOSTING = "mci-csp-reseller", "mci-csp-direct", "hosting"
SURFACE, MIXED_REALITY = "surface-adr", "mixed-reality-add"

# Location, program, first day, and whether bank and tax details are complete (None: nobody said so).
ENROLLMENTS = (
    ("5512301", RESELLER, date(2022, 11, 1), True),
    ("5512301", SURFACE, date(2023, 1, 1), True),
    ("5512302", RESELLER, date(2022, 11, 1), True),
    ("5512303", HOSTING, date(2022, 7, 1), True),
    ("5540117", RESELLER, date(2023, 1, 1), None),
    ("6120450", DIRECT, date(2022, 11, 1), True),
    ("6120451", DIRECT, date(2022, 11, 1), True),
    ("6133908", RESELLER, date(2022, 11, 1), True),
    ("7204416", RESELLER, date(2022, 11, 1), True),
    ("7204416", SURFACE, date(2023, 1, 1), True),
    ("7204417", RESELLER, date(2022, 11, 1), True),
    ("7219032", HOSTING, date(2022, 7, 1), True),
    ("8300721", DIRECT, date(2022, 11, 1), True),
    ("8300722", DIRECT, date(2022, 11, 1), True),
    ("8300722", MIXED_REALITY, date(2022, 7, 1), True),
    ("8311265", HOSTING, date(2022, 7, 1), True),
)

# Of each partner: e-mail, name, role, and why one would sign in as this person.
PEOPLE = {
    "P-10412": (
        ("mia@cedarridge.example", "Mia Okafor", "marketer", "money about to expire, and claims in every state"),
        ("carlos@cedarridge.example", "Carlos Reyes", "partner_admin", "the same partner, as its admin"),
        ("nora@brightline.example", "Nora Feld", "agency", "an agency's guest: one task of one claim, and no money"),
    ),
    "P-10977": (("dale@harborpine.example", "Dale Whitcomb", "marketer", "two funds that were converted to rebate"),),
    "P-20318": (
        ("jonas@lindenhof.example", "Jonas Weber", "marketer", "the largest funds, and a plan to be amended"),
        ("katrin@lindenhof.example", "Katrin Sommer", "partner_admin", ""),
    ),
    "P-20655": (
        (
            "svenja@kranich.example",
            "Svenja Petersen",
            "partner_admin",
            "a disputed decision, and a lapsed claim",
        ),
    ),
    "P-30129": (("imogen@alderwren.example", "Imogen Hale", "marketer", "a fund below zero after a clawback"),),
    "P-30540": (("rhys@tidewater.example", "Rhys Morgan", "marketer", "a payment held back: the bank changed"),),
    "P-40087": (("yuki@hoshikawa.example", "Yuki Tanabe", "marketer", "a payment that failed and goes out again"),),
    "P-40362": (("ren@asagiri.example", "Ren Sugawara", "marketer", ""),),
}

# Channel managers with a portfolio of their own: e-mail, name, title, and the partners of it.
CHANNEL_MANAGERS = (
    ("luis@vendor.example", "Luis Ortega", "gtm_manager", ("P-10412", "P-10977")),
    ("tomas@vendor.example", "Tomas Beck", "pdm", ("P-20318", "P-20655", "P-30129", "P-30540")),
    ("hana@vendor.example", "Hana Kobayashi", "pcmm", ("P-40087", "P-40362")),
)

# Where the money of some partners goes, by the admin who says so. The numbers are those that banks print in examples.
ACCOUNTS: dict[str, dict[str, str]] = {
    "carlos": {
        "holder": "Cedar Ridge Cloud Inc.",
        "country": "US",
        "account": "000123456789",
        "bank_code_kind": "USABA",
        "bank_code": "021000021",
    },
    "katrin": {
        "holder": "Lindenhof IT GmbH",
        "country": "DE",
        "iban": "DE89370400440532013000",
        "bank_code": "COBADEFF",
    },
    "svenja": {"holder": "Kranich Systemhaus", "country": "DE", "iban": "DE75512108001245126199"},
}


def bring_in(at: datetime) -> dict[str, Person]:
    """Make everybody and everything of the cast; returns the people by the first part of their e-mail address."""
    vendors = load_vendor_people(at)
    people = {person.email.partition("@")[0]: person for person in vendors}
    encoded, admin = vendors[0].password, people["program"]
    partners = {
        number: add_partner(number, name, country, places, admin, at) for number, name, country, places in PARTNERS
    }
    for location, program, starts_on, profile in ENROLLMENTS:
        enroll(
            location_id=Location.objects.values_list("id", flat=True).get(external_id=location),
            program_code=program,
            starts_on=starts_on,
            payout_profile_complete=profile,
            by=admin,
            at=at,
        )
    for number, rows in PEOPLE.items():
        for email, name, role, _ in rows:
            person = create_person(
                email=email,
                name=name,
                role=role,
                partner_id=partners[number].id,
                encoded_password=encoded,
                by=admin,
                at=at,
            )
            zone = ZONES[partners[number].country]
            choose_ways({}, time_zone=zone, quiet_from=None, quiet_to=None, by=person, at=at)
            people[email.partition("@")[0]] = Person.objects.get(id=person.pk)
    for admin_name, account in ACCOUNTS.items():
        person = people[admin_name]
        set_payout_account(person.partner_id or 0, account, by=person, at=at)
    for email, name, title, numbers in CHANNEL_MANAGERS:
        people[email.partition("@")[0]] = create_person(
            email=email,
            name=name,
            role="channel_manager",
            title=title,
            portfolio=[partners[number].id for number in numbers],
            encoded_password=encoded,
            by=admin,
            at=at,
        )
    return people


def add_partner(
    number: str, name: str, country: str, places: tuple[tuple[str, str], ...], by: Person, at: datetime
) -> Partner:
    partner = create_partner(external_id=number, name=name, country=country, by=by, at=at)
    for location, town in places:
        create_location(partner_id=partner.id, external_id=location, name=town, country=country, by=by, at=at)
    return partner
