"""Last chapter: July 2024. Twelve days before the deadline of FY24 H1 there is something to do for everybody."""

from __future__ import annotations

from datetime import date

from claims.models import Claim
from claims.operations.disputes import dispute_claim
from claims.operations.invitations import invite
from claims.operations.plan_drafts import change_activity
from claims.operations.plan_review import PlanDecision, approve_plan, return_plan
from claims.operations.plans import amend_plan, submit_plan
from claims.operations.review import Fix, reject_claim, return_claim, start_review
from claims.operations.rule_drafts import begin_draft, change_rule, request_publication
from coop.story.cast import DIRECT, HOSTING, RESELLER, SURFACE
from coop.story.earned import earned_in, earned_in_july, incentives_file, report_file, rest_lines
from coop.story.stage import Intent, Paper, Stage, Work
from funds.models import Enrollment
from funds.operations.adjustments import request_adjustment
from funds.operations.earnings import take_lines
from funds.operations.enrollments import update_enrollment
from funds.operations.payments import prepare_run
from partners.delegating import delegate

# Mia's claims.
READINESS_CALLS = Work(
    ("5512301", RESELLER, "FY24-H1"),
    "telemarketing",
    "Security readiness calls",
    (date(2024, 5, 6), date(2024, 6, 21)),
    (
        Paper("7380.15", "720 calls to firms in Colorado", "Juniper Call Desk", "JCD-24-0718", date(2024, 6, 28)),
        Paper("1240.00", "In-house training of the callers, 20 hours"),
    ),
    {"calls": "720", "successful-contacts": "96"},
    "Security",
    log_until=date(2024, 5, 31),
)
EXAMS = Work(
    ("5512301", RESELLER, "FY24-H1"),
    "exams-tuition",
    "Exams of the support team",
    (date(2024, 4, 22), date(2024, 6, 14)),
    (Paper("3267.50", "Eleven exams, AZ-104 and SC-300", "Bluestem Test Center", "BTC-77120", date(2024, 6, 17)),),
    {"attendees": "11", "cost-per-person": "297.05"},
    "Azure",
    details={"course-code": "AZ-104, SC-300", "completion-date": "2024-06-14"},
)
SOCIAL_ADS = Work(
    ("5512302", RESELLER, "FY24-H1"),
    "digital-advertising",
    "Spring search and social ads",
    (date(2024, 4, 1), date(2024, 6, 28)),
    (
        Paper("5120.75", "Search advertising, second quarter", "Quillmark Media", "QM-2024-0655", date(2024, 6, 30)),
        Paper("1773.60", "Pictures and films for social networks", "Brightline Studio", "BL-2417", date(2024, 6, 5)),
    ),
    {"results-summary": "142,300 views, 4,087 clicks, 92 requests for a call."},
    "Modern Work",
)
DEVICE_OFFER = Work(
    ("5512301", SURFACE, "FY24-H1"),
    "customer-offer",
    "Trade-in weeks for schools",
    (date(2024, 5, 1), date(2024, 5, 31)),
    (Paper("1733.60", "Trade-in credits for 34 devices", "Redtail Device Exchange", "RDX-0531", date(2024, 6, 3)),),
    {"results-summary": "34 devices traded in, 41 sold."},
    "Modern Work",
)
FLOOR_DAY = Work(
    ("5512301", RESELLER, "FY24-H1"),
    "internal-training",
    "Floor days for the sales team",
    (date(2024, 6, 11), date(2024, 6, 12)),
    (Paper("2418.75", "In-house training, 43 hours"),),
    {"attendees": "14"},
    "Business Applications",
)
MIGRATION_PAGES = Work(
    ("5512302", RESELLER, "FY24-H1"),
    "website-search",
    "Pages about moving to the cloud",
    (date(2024, 5, 20), date(2024, 7, 12)),
    (Paper("3955.25", "Eight pages with pictures", "Brightline Studio", "BL-2431", date(2024, 7, 15)),),
    area="Azure",
    without=("invoice", "screenshots", "url"),
)
AUGUST_EVENING = Work(
    ("5512301", RESELLER, "FY24-H2"),
    "seminar",
    "Summer evening for accountants",
    (date(2024, 7, 18), date(2024, 7, 18)),
    (Paper("4406.35", "Room, catering and sound", "Larkspur Event Halls", "LEH-24-0731", date(2024, 7, 22)),),
    {"registered-guests": "73"},
    "Business Applications",
    without=("photos",),
)
# The others'.
CHAMP = Work(
    ("8300722", DIRECT, "FY24-H1"),
    "on-site-champ",
    "Champion in the Fukuoka sales office",
    (date(2024, 1, 9), date(2024, 6, 28)),
    (Paper("4906.12", "Fees, January to June", "Hakata Staffing", "HS-0624-18", date(2024, 6, 30)),),
    area="Modern Work",
)
BRISTOL_CAMP = Work(
    ("7204416", RESELLER, "FY24-H1"),
    "seminar",
    "Boot camp for law firms",
    (date(2024, 6, 18), date(2024, 6, 19)),
    (
        Paper("6240.39", "Two days with room and board", "Clifton Conference House", "CCH/9917", date(2024, 6, 21)),
        Paper("1877.25", "Invitations and name badges", "Avonside Print", "AP-60224", date(2024, 6, 3)),
    ),
    {"registered-guests": "58"},
    "Business Applications",
)
DEMO_UNITS = Work(
    ("6120450", DIRECT, "FY24-H1"),
    "product-seeding",
    "Leihgeräte für Schulen",
    (date(2024, 5, 2), date(2024, 6, 28)),
    (Paper("4480.90", "Six devices for lending", "Pleisse Hardware", "PH-2024-2203", date(2024, 6, 24)),),
    area="Modern Work",
)
PAPER_ADVERTS = Work(
    ("5540117", RESELLER, "FY24-H1"),
    "print-advertising",
    "Adverts in the harbour weekly",
    (date(2024, 5, 3), date(2024, 6, 28)),
    (
        Paper("4071.22", "Nine quarter pages", "Casco Weekly", "CW-24-188", date(2024, 6, 28)),
        # The same invoice as in another partner's claim, written otherwise.
        Paper("512.80", "Design of the adverts", "QUILLMARK MEDIA LLC", "QM 2024/0655", date(2024, 6, 30)),
    ),
    {"estimated-reach": "19400"},
    "Modern Work",
)
RADIO = Work(
    ("7204416", SURFACE, "FY24-H1"),
    "tv-radio",
    "Radio spots before the summer",
    (date(2024, 6, 3), date(2024, 6, 28)),
    (Paper("1290.45", "Forty spots of 20 seconds", "Severn Sound", "SS-0672", date(2024, 7, 1)),),
    area="Modern Work",
    without=("final-approval",),
)
DECLINED_ADS = Work(
    ("6133908", RESELLER, "FY24-H1"),
    "digital-advertising",
    "Anzeigen zur Kieler Woche",
    (date(2024, 6, 17), date(2024, 6, 28)),
    (Paper("2874.66", "Advertisements in two town portals", "Fjordblick Werbung", "2024-0693", date(2024, 6, 28)),),
    {"results-summary": "18,900 views, 411 clicks."},
    "Modern Work",
)
AUTUMN = (
    Intent(
        "seminar",
        "Evenings for accountants",
        (date(2024, 9, 10), date(2024, 10, 24)),
        "5200.00",
        "120 guests on four evenings.",
        "Business Applications",
    ),
    Intent(
        "digital-advertising",
        "Ads for the evenings",
        (date(2024, 8, 26), date(2024, 10, 18)),
        "2400.00",
        "80,000 views, 300 sign-ups.",
        "Business Applications",
    ),
)
HARBOURS = (
    Intent(
        "trade-show",
        "Messestand Hafentechnik",
        (date(2024, 9, 3), date(2024, 9, 6)),
        "9800.00",
        "350 visitors, 40 firms that want an offer.",
        "Security",
    ),
    Intent(
        "direct-mail",
        "Einladung zum Messestand",
        (date(2024, 8, 12), date(2024, 8, 23)),
        "3150.00",
        "2,500 letters.",
        "Security",
    ),
)
STOREFRONT = Intent(
    "website-search",
    "Pages for shops in Tohoku",
    (date(2024, 8, 19), date(2024, 11, 29)),
    "900.00",
    "200 visits a month.",
    "Azure",
)
# Rows as a colleague typed them below the vendor's own: each is rejected with its reason when the file is checked.
TYPED_BY_HAND = (
    ("E-251-hand-1", "5512399", RESELLER, "2024-07-31", "412.50", "USD", "Base incentive", ""),
    ("E-251-hand-2", "5512301", RESELLER, "2024-07-31", "86.125", "USD", "Base incentive", ""),
    ("E-251-hand-3", "5512302", RESELLER, "31.07.2024", "95.40", "USD", "Base incentive", ""),
    ("E-251-hand-4", "5540117", "mci-csp-resellers", "2024-07-31", "220.18", "USD", "Base incentive", ""),
    ("E-251-hand-5", "6120450", DIRECT, "2024-07-31", "1,118.30", "EUR", "Growth accelerator", ""),
    ("E-251-hand-6", "5512303", HOSTING, "2023-06-30", "57.09", "USD", "Base incentive", "previous_period"),
)


def tell(stage: Stage) -> None:
    people = stage.people
    stage.until("2024-07-03 09:05")
    hosting = Enrollment.objects.get(location__external_id="7219032", program__code=HOSTING)
    update_enrollment(hosting.id, {"payout_profile_complete": False}, by=people["program"], at=stage.at())
    stage.until("2024-07-08 08:35")
    last_months = list(earned_in("FY24-H2", range(3, 6)))
    stage.take("earnings-2024-04-to-06.tsv", report_file([line for line in last_months if line.location[0] != "5"]))
    stage.take("us-incentives-2024-04-to-06.csv", incentives_file([e for e in last_months if e.location[0] == "5"]))
    tell_of_returns(stage)

    stage.until("2024-07-18 10:15")
    ads = stage.send("svenja", DECLINED_ADS)
    stage.until("2024-07-22 15:40")
    camp = stage.send("imogen", BRISTOL_CAMP)
    stage.until("2024-07-24 15:30")
    reject_claim(
        ads.id,
        reason="The screenshots show the advertisement of an event without a product of the vendor. The rule asks for the "
        "vendor's brand and content in the advertisement. It cannot be mended after the event.",
        by=people["tomas"],
        at=stage.at(),
    )
    stage.until("2024-07-31 14:25")  # the threshold test of FY24 H2 has run
    start_review(camp.id, by=people["tomas"], at=stage.at())
    exams = stage.send("mia", EXAMS)
    for who, work in (("dale", PAPER_ADVERTS), ("mia", DEVICE_OFFER)):
        stage.send(who, work)
    stage.until("2024-08-01 09:30")
    start_review(exams.id, by=people["luis"], at=stage.at())
    for who, work in (("mia", SOCIAL_ADS), ("jonas", DEMO_UNITS)):
        stage.send(who, work)
    for who, work in (("mia", FLOOR_DAY), ("mia", MIGRATION_PAGES), ("mia", AUGUST_EVENING), ("imogen", RADIO)):
        stage.write(who, work)
    tell_of_plans(stage)
    tell_of_helpers(stage, ads)
    tell_of_rules(stage)
    prepare_run(cutoff=date(2024, 7, 31), by=people["finance"], at=stage.at())
    tell_of_adjustments(stage)

    july = earned_in_july()
    take_lines(rest_lines([line for line in july if line.day.day == 15]), by=people["finance"], at=stage.at())
    stage.until("2024-08-02 09:00")
    stage.receive("incentives-2024-07.csv", incentives_file([e for e in july if e.day.day == 29], *TYPED_BY_HAND))


def tell_of_plans(stage: Stage) -> None:
    """Plans for the money of FY24 H2: one waits, one is approved and to be amended, one came back."""
    people = stage.people
    stage.plan("mia", ("5512301", RESELLER, "FY24-H2"), "Autumn with accountants", *AUTUMN)
    harbours = stage.plan("jonas", ("6120451", DIRECT, "FY24-H2"), "Herbst an den Häfen", *HARBOURS)
    approve_plan(harbours.pk, by=people["tomas"], at=stage.at())
    shops = stage.plan("ren", ("8311265", HOSTING, "FY24-H2"), "Shops on our servers", STOREFRONT)
    wanted = "Say which products of the vendor the pages show; hosting alone is not paid for."
    decision = PlanDecision(stage.plans[STOREFRONT.title], "return", reason=wanted)
    return_plan(shops.pk, decisions=[decision], by=people["hana"], at=stage.at())
    stage.until("2024-08-01 15:20")
    version = amend_plan(harbours.pk, by=people["jonas"], at=stage.at())
    mail = version.activities.get(title="Einladung zum Messestand")
    change_activity(version.pk, mail.pk, {"requested_minor": 3_900_00}, by=people["jonas"], at=stage.at())
    submit_plan(version.pk, by=people["jonas"], at=stage.at())


def tell_of_helpers(stage: Stage, ads: Claim) -> None:
    """An agency's guest at work, a manager away, and a decision that is disputed."""
    people = stage.people
    invite(
        Claim.objects.get(title=MIGRATION_PAGES.title).pk,
        task="proof",
        person_id=people["nora"].pk,
        note="Please add pictures of all eight pages, with the address in view.",
        by=people["mia"],
        at=stage.at(),
    )
    delegate(
        people["hana"].pk,
        people["pcmm"].pk,
        starts_on=date(2024, 8, 1),
        ends_on=date(2024, 8, 16),
        note="Obon holidays.",
        by=people["hana"],
        at=stage.at(),
    )
    dispute_claim(
        ads.pk,
        reason="The second screenshot shows the vendor's product in the lower half of the advertisement; it was cut off in the "
        "preview. We ask to look at the whole picture.",
        by=people["svenja"],
        at=stage.at(),
    )


def tell_of_rules(stage: Stage) -> None:
    """A limit that shall rise with the next use period waits for the second program admin."""
    admin, at = stage.people["program"], stage.at()
    draft = begin_draft(title="More syndicated content from January 2025", by=admin, at=at)
    rule = next(row for row in draft.catalog["rules"] if row["code"] == "limit.syndicated-content")
    row = {
        **rule,
        "sentence": "At most 22,500.00 USD in a use period.",
        "params": {**rule["params"], "amount": "22500.00"},
        "examples": [
            {"outcome": "passed", "facts": {"claimed": "5000.00", "used_in_fund": "17500.00"}},
            {"outcome": "failed", "facts": {"claimed": "5000.01", "used_in_fund": "17500.00"}},
        ],
    }
    change_rule(draft.pk, row, from_day=date(2025, 1, 1), by=admin, at=at)
    request_publication(draft.pk, note="Agreed with the portfolio managers on 24 July.", by=admin, at=at)


def tell_of_adjustments(stage: Stage) -> None:
    """A small correction that one person posts, and a larger one that waits for the second."""
    request_adjustment(
        stage.fund("6133908", RESELLER, "FY24-H2").id,
        amount_minor=86_20,
        reason_code="previous_period",
        effective_on=date(2024, 6, 28),
        note="A sale of 28 June that came after the report of the quarter was closed.",
        by=stage.people["finance2"],
        at=stage.at(),
    )
    request_adjustment(
        stage.fund("5540117", RESELLER, "FY24-H2").id,
        amount_minor=-1_410_75,
        reason_code="partner_mapping",
        effective_on=date(2024, 5, 31),
        note="Three customers belong to another partner since May.",
        by=stage.people["finance"],
        at=stage.at(),
    )


def tell_of_returns(stage: Stage) -> None:
    """Two claims that go back to their partners, one of them with several fixes on different fields."""
    people = stage.people
    stage.until("2024-07-11 18:05")
    calls, champ = stage.send("mia", READINESS_CALLS), stage.send("yuki", CHAMP)
    stage.until("2024-07-16 16:30")
    invoice, report = calls.lines.get(kind="invoice"), calls.lines.get(kind="csr")
    return_claim(
        calls.id,
        fixes=[
            Fix(
                "documents.call-log",
                "The log ends on 31 May; the claim is for calls until 21 June. Add the rest of it.",
            ),
            Fix("metrics.successful-contacts", "The log shows 88 contacts, the claim says 96. Correct one of them."),
            Fix(f"lines.{invoice.id}.invoiced_on", "The invoice is dated 27 June, the claim says 28 June."),
            Fix(f"lines.{report.id}", "The CSR is not signed. Upload it with the signature of whoever did the work."),
        ],
        note="Nearly there: four things, and nothing that needs the call centre again.",
        by=people["luis"],
        at=stage.at(),
    )
    stage.until("2024-07-17 03:15")
    return_claim(
        champ.id,
        fixes=[Fix("documents.deliverables-sample", "The sample is from 2022. Upload one from January to June 2024.")],
        by=people["hana"],
        at=stage.at(),
    )
