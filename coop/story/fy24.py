"""Second chapter: the money of FY24 H1 up to the end of June 2024, with plans, a failed payment and a clawback."""

from __future__ import annotations

from datetime import date

from claims.operations.plan_review import PlanDecision, approve_plan
from claims.operations.review import LineDecision, approve_claim
from coop.story.cast import DIRECT, HOSTING, RESELLER, SURFACE
from coop.story.earned import Earned, earned_in, incentives_file, report_file
from coop.story.stage import Intent, Paper, Stage, Work
from funds.operations.payments import approve_run, export_run, prepare_run
from funds.operations.results import Result, read_results

ROADSHOW = Work(
    ("5512301", RESELLER, "FY24-H1"),
    "seminar",
    "Spring roadshow for small firms",
    (date(2024, 2, 6), date(2024, 3, 7)),
    (
        Paper("12675.40", "Three half days with technicians", "Larkspur Event Halls", "LEH-24-0228", date(2024, 3, 8)),
        Paper("3918.25", "Invitations by post and email", "Foxglove Print & Post", "45903", date(2024, 1, 29)),
    ),
    {"registered-guests": "264"},
    "Modern Work",
)
CAMPAIGN = Work(
    ("7204417", RESELLER, "FY24-H1"),
    "multi-touch",
    "Always-on campaign for the North",
    (date(2024, 1, 8), date(2024, 3, 15)),
    (Paper("11830.55", "Search, social and two mailings", "Holloway & Finch", "HF/24/0331", date(2024, 3, 15)),),
    area="Business Applications",
)
SYNDICATION = Work(
    ("8311265", HOSTING, "FY24-H1"),
    "syndicated-content",
    "Product pages by subscription",
    (date(2024, 1, 15), date(2024, 3, 14)),
    (Paper("1148.60", "Fee for two months", "Kotoba Content", "KC-0624", date(2024, 3, 14)),),
    {"results-summary": "2,140 visits, 57 downloads."},
    "Azure",
)
OSAKA_CALLS = Work(
    ("8300721", DIRECT, "FY24-H1"),
    "telemarketing",
    "Calls to machine builders in Kansai",
    (date(2024, 2, 19), date(2024, 3, 29)),
    (Paper("9642.80", "640 calls with an agreed script", "Midosuji Contact", "MC-240401", date(2024, 4, 1)),),
    {"calls": "640", "successful-contacts": "131"},
    "Azure",
)
DENVER_SHOW = Work(
    ("5512301", RESELLER, "FY24-H1"),
    "trade-show",
    "High Plains technology days",
    (date(2024, 6, 4), date(2024, 6, 6)),
    (
        Paper("9874.60", "Booth, fittings and two screens", "Mesa Exhibits", "ME-24-1107", date(2024, 6, 10)),
        Paper("2315.88", "Evening reception for visitors", "Copper Kettle Catering", "CKC-3390", date(2024, 6, 7)),
    ),
    {"visitors": "538"},
    "Security",
)
LETTERS = Work(
    ("6120451", DIRECT, "FY24-H1"),
    "direct-mail",
    "Briefaktion Hafenbetriebe",
    (date(2024, 5, 13), date(2024, 5, 24)),
    (Paper("6148.37", "4,100 letters with reply cards", "Elbdruck Nord", "EN-119204", date(2024, 5, 27)),),
    {"estimated-reach": "4100"},
    "Security",
)
SERVER_PAGES = Work(
    ("7219032", HOSTING, "FY24-H1"),
    "website-search",
    "Pages for virtual servers",
    (date(2024, 4, 2), date(2024, 6, 14)),
    (Paper("2233.90", "Texts, pictures and search work", "Pen y Bont Copy", "PYB 352", date(2024, 6, 17)),),
    {"results-summary": "Visits up from 310 to 845 a month; 22 trials began."},
    "Azure",
)
TRADE_IN = Intent(
    "customer-offer",
    "Trade-in weeks for schools",
    (date(2024, 5, 1), date(2024, 5, 31)),
    "2500.00",
    "50 devices traded in, 60 sold.",
    "Modern Work",
)
SCHOOL_PAGES = Intent(
    "website-search",
    "Pages for schools",
    (date(2024, 4, 15), date(2024, 6, 14)),
    "900.00",
    "400 visits a month from schools.",
    "Modern Work",
)
RADIO_SPOTS = Intent(
    "tv-radio",
    "Radio spots before the summer",
    (date(2024, 6, 3), date(2024, 6, 28)),
    "1300.00",
    "60,000 listeners around Bristol.",
    "Modern Work",
)
# The vendor had paid for sales that were cancelled: lines with an amount below zero.
CORRECTIONS = (
    Earned("C-241-7204417-1", "7204417", RESELLER, date(2023, 11, 30), -164_020, "Base incentive", "wrong_calculation"),
    Earned("C-241-5512301-1", "5512301", RESELLER, date(2023, 12, 15), -215_575, "Growth accelerator", "ar_compliance"),
)


def tell(stage: Stage) -> None:
    people = stage.people
    stage.until("2024-03-18 16:20")
    roadshow, campaign = stage.send("mia", ROADSHOW), stage.send("imogen", CAMPAIGN)
    syndication = stage.send("ren", SYNDICATION)
    stage.until("2024-03-21 09:50")
    approve_claim(roadshow.id, by=people["luis"], at=stage.at())
    approve_claim(campaign.id, by=people["tomas"], at=stage.at())
    approve_claim(syndication.id, by=people["hana"], at=stage.at())

    stage.until("2024-04-08 08:40")
    first_months = list(earned_in("FY24-H2", range(3)))
    stage.take("earnings-2024-01-to-03.tsv", report_file([line for line in first_months if line.location[0] != "5"]))
    stage.take("us-incentives-2024-01-to-03.csv", incentives_file([e for e in first_months if e.location[0] == "5"]))

    plan_devices(stage)
    stage.until("2024-04-15 04:30")
    osaka = stage.send("yuki", OSAKA_CALLS)
    stage.until("2024-04-18 02:10")
    approve_claim(osaka.id, by=people["hana"], at=stage.at())
    pay_second_run(stage)

    plan_radio(stage)
    stage.take("corrections-2024-05.csv", incentives_file(CORRECTIONS))

    stage.until("2024-06-20 17:45")
    show = stage.send("mia", DENVER_SHOW)
    stage.until("2024-06-24 14:10")
    reception = show.lines.get(supplier="Copper Kettle Catering")
    approve_claim(
        show.id,
        decisions=[
            LineDecision(
                reception.id,
                "decline",
                None,
                "The invoice is for wine and beer alone. Alcohol is not paid at trade shows.",
            )
        ],
        by=people["luis"],
        at=stage.at(),
    )
    stage.until("2024-06-25 08:55")
    letters, pages = stage.send("jonas", LETTERS), stage.send("rhys", SERVER_PAGES)
    stage.until("2024-06-27 11:20")
    approve_claim(letters.id, by=people["tomas"], at=stage.at())
    approve_claim(pages.id, by=people["tomas"], at=stage.at())


def plan_devices(stage: Stage) -> None:
    """Surface asks for an approved plan first; one of its activities is approved for less than was asked."""
    stage.until("2024-04-09 16:40")
    plan = stage.plan("mia", ("5512301", SURFACE, "FY24-H1"), "Devices for schools, spring", TRADE_IN, SCHOOL_PAGES)
    stage.until("2024-04-11 14:05")
    approve_plan(
        plan.pk,
        decisions=[
            PlanDecision(
                stage.plans[TRADE_IN.title],
                "approve_less",
                2_000_00,
                "40 devices at the usual credit of 50.00 are 2,000.00. Amend the plan if more schools take part.",
            )
        ],
        note="Good that the pages come first.",
        by=stage.people["luis"],
        at=stage.at(),
    )


def plan_radio(stage: Stage) -> None:
    stage.until("2024-05-21 09:15")
    plan = stage.plan("imogen", ("7204416", SURFACE, "FY24-H1"), "Radio before the summer", RADIO_SPOTS)
    stage.until("2024-05-21 13:00")
    approve_plan(plan.pk, by=stage.people["tomas"], at=stage.at())


def pay_second_run(stage: Stage) -> None:
    """A run of which one payment fails: its claim waits for a later run."""
    people = stage.people
    stage.until("2024-05-06 09:20")
    run = prepare_run(cutoff=date(2024, 5, 3), by=people["finance2"], at=stage.at())
    stage.until("2024-05-07 10:05")
    approve_run(run.id, by=people["finance"], at=stage.at())
    export_run(run.id, by=people["finance"], at=stage.at())
    stage.until("2024-05-10 08:10")
    results = [
        Result(payment.id, "failed", failure="The account was closed. Give a new one in the payout profile.")
        if payment.partner.country == "JP" and payment.program.code == DIRECT and payment.kind == "claim"
        else Result(payment.id, "sent", date(2024, 5, 9), f"TRF-2405-{5120 + number * 7}")
        for number, payment in enumerate(run.payments.order_by("id"))
    ]
    read_results(run.id, results, by=people["finance"], at=stage.at())
