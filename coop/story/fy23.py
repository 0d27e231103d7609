"""First chapter: the money of FY23 H2, from the first import to what expired on 14 February 2024."""

from __future__ import annotations

from datetime import date

from claims.operations.review import Fix, LineDecision, approve_claim, reject_claim, return_claim
from claims.operations.sending import withdraw_claim
from coop.story.cast import DIRECT, HOSTING, RESELLER
from coop.story.earned import earned_in, incentives_file, report_file
from coop.story.stage import Paper, Stage, Work
from funds.operations.payments import approve_run, export_run, prepare_run
from funds.operations.results import Result, read_results

WEBINARS = Work(
    ("5512301", RESELLER, "FY23-H2"),
    "seminar",
    "Autumn security evenings",
    (date(2023, 9, 12), date(2023, 10, 26)),
    (
        Paper(
            "8412.75", "Rooms and catering for four evenings", "Larkspur Event Halls", "LEH-23-0917", date(2023, 10, 30)
        ),
        Paper("2966.40", "Invitations, design and print", "Foxglove Print & Post", "44718", date(2023, 9, 1)),
    ),
    {"registered-guests": "187"},
    "Security",
)
SEARCH_ADS = Work(
    ("5512302", RESELLER, "FY23-H2"),
    "digital-advertising",
    "Back to business search ads",
    (date(2023, 9, 4), date(2023, 10, 15)),
    (Paper("4318.20", "Search advertising, six weeks", "Quillmark Media", "QM-2023-1186", date(2023, 10, 20)),),
    {"results-summary": "61,400 views, 1,912 clicks, 38 requests for a call."},
    "Modern Work",
)
CALLS = Work(
    ("6120450", DIRECT, "FY23-H2"),
    "telemarketing",
    "Telefonaktion Mittelstand",
    (date(2023, 9, 18), date(2023, 11, 10)),
    (
        Paper("14237.50", "1,150 calls to firms in Saxony", "Rufzeichen Dialog", "RZ 2023/4471", date(2023, 11, 13)),
        Paper("3180.00", "In-house preparation of the calls, 53 hours"),
    ),
    {"calls": "1150", "successful-contacts": "204"},
    "Business Applications",
)
EXPO = Work(
    ("7204416", RESELLER, "FY23-H2"),
    "trade-show",
    "Severn Cloud Expo booth",
    (date(2023, 10, 3), date(2023, 10, 5)),
    (Paper("11904.33", "Booth of 18 square metres with fittings", "Standwright", "SW-8820", date(2023, 10, 9)),),
    {"visitors": "412"},
    "Azure",
)
NEVER_SENT = Work(
    ("7219032", HOSTING, "FY23-H2"),
    "website-search",
    "New pages for managed servers",
    (date(2023, 11, 6), date(2023, 12, 15)),
    (Paper("2085.40", "Texts and pictures for nine pages", "Pen y Bont Copy", "PYB 311", date(2023, 12, 18)),),
    area="Azure",
    without=("url", "screenshots"),
)
NEVER_MENDED = Work(
    ("6133908", RESELLER, "FY23-H2"),
    "direct-mail",
    "Adventsbrief an Werften und Reeder",
    (date(2023, 11, 27), date(2023, 12, 8)),
    (Paper("5230.18", "3,200 letters, print and postage", "Hansedruck Warnow", "HW-20231204", date(2023, 12, 11)),),
    {"estimated-reach": "3200"},
    "Modern Work",
)
WITHDRAWN = Work(
    ("5512301", RESELLER, "FY23-H2"),
    "print-advertising",
    "Front Range business journal adverts",
    (date(2023, 11, 1), date(2023, 11, 30)),
    (Paper("3745.95", "Two half pages in November", "Front Range Journal", "A-55023", date(2023, 12, 1)),),
    {"estimated-reach": "28500"},
    "Modern Work",
)


def tell(stage: Stage) -> None:
    people = stage.people
    everybody = list(earned_in("FY23-H2"))
    stage.take("earnings-2023-01-to-06.tsv", report_file([line for line in everybody if line.location[0] != "5"]))
    stage.take(
        "us-incentives-2023-01-to-06.csv", incentives_file([line for line in everybody if line.location[0] == "5"])
    )

    stage.until("2023-10-09 08:30")
    first_months = list(earned_in("FY24-H1", range(3)))
    stage.take("earnings-2023-07-to-09.tsv", report_file([line for line in first_months if line.location[0] != "5"]))
    stage.take("us-incentives-2023-07-to-09.csv", incentives_file([e for e in first_months if e.location[0] == "5"]))

    stage.until("2023-11-20 15:12")
    evenings, ads = stage.send("mia", WEBINARS), stage.send("mia", SEARCH_ADS)
    stage.until("2023-11-21 09:40")
    calls, expo = stage.send("jonas", CALLS), stage.send("imogen", EXPO)

    stage.until("2023-11-23 13:05")
    approve_claim(evenings.id, by=people["luis"], at=stage.at())
    reject_claim(
        ads.id,
        reason="The landing page offers another maker's office programs beside the vendor's. The rule asks that all content "
        "be about the vendor's products. A campaign with a page of its own can be claimed.",
        by=people["luis"],
        at=stage.at(),
    )
    in_house = calls.lines.get(kind="csr")
    approve_claim(
        calls.id,
        decisions=[
            LineDecision(
                in_house.id,
                "approve_less",
                224_000,
                "The report lists 16 of the 53 hours for training on 14 September, before the activity. They are left out.",
            )
        ],
        by=people["tomas"],
        at=stage.at(),
    )
    approve_claim(expo.id, note="Good to see the visitors counted by hour.", by=people["tomas"], at=stage.at())
    pay_first_run(stage)

    stage.until("2024-01-09 08:45")
    last_months = list(earned_in("FY24-H1", range(3, 6)))
    stage.take("earnings-2023-10-to-12.tsv", report_file([line for line in last_months if line.location[0] != "5"]))
    stage.take("us-incentives-2023-10-to-12.csv", incentives_file([e for e in last_months if e.location[0] == "5"]))

    stage.until("2024-01-15 17:20")
    adverts = stage.send("mia", WITHDRAWN)
    stage.until("2024-01-17 14:02")
    withdraw_claim(adverts.id, by=people["mia"], at=stage.at())
    stage.until("2024-02-05 11:30")
    stage.write("rhys", NEVER_SENT)
    stage.until("2024-02-12 16:48")
    letters = stage.send("svenja", NEVER_MENDED)
    stage.until("2024-02-16 10:25")  # past the deadline of FY23 H2: what nobody claimed has expired
    return_claim(
        letters.id,
        fixes=[
            Fix(
                "documents.proof-of-distribution",
                "The receipt shows 2,300 letters, the invoice 3,200. Add the second receipt.",
            ),
            Fix("documents.final-piece", "Page 2 of the letter is missing; the vendor's brand must be seen on it."),
        ],
        by=people["tomas"],
        at=stage.at(),
    )


def pay_first_run(stage: Stage) -> None:
    people = stage.people
    stage.until("2023-12-04 09:15")
    run = prepare_run(cutoff=date(2023, 11, 30), by=people["finance"], at=stage.at())
    stage.until("2023-12-05 10:31")
    approve_run(run.id, by=people["finance2"], at=stage.at())
    export_run(run.id, by=people["finance"], at=stage.at())
    stage.until("2023-12-08 08:05")
    sent = [
        Result(payment.id, "sent", date(2023, 12, 7), f"TRF-2312-{4410 + number * 7}")
        for number, payment in enumerate(run.payments.order_by("id"))
    ]
    read_results(run.id, sent, by=people["finance"], at=stage.at())
