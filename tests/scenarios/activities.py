"""What each of the twenty activities asks for, told by what is missing and the words in which that is said.

Each row changes one thing in a claim of 1,000.00 USD that has everything, and names the rule that finds it, the field that
mends it, and its words: the rule's sentence, what was seen, what to do.
"""

# ruff: noqa: E501 - the words stand here as people read them
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from claims.rules import Facts
from coop.lib.money import to_minor

Change = Callable[[Facts], Facts]


@dataclass(frozen=True)
class Miss:
    """One thing that is wrong, and the finding that says so."""

    change: Change
    rule: str
    field: str
    text: str
    seen: str
    fix: str
    outcome: str = "failed"


# --- What may be wrong --------------------------------------------------------------------------------------------------


class Without:
    """Documents of some kinds are not there."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds

    def __call__(self, facts: Facts) -> Facts:
        return replace(facts, documents=[one for one in facts.documents if one.kind not in self.kinds])


def answered(*changes: Change, **answers: str) -> Change:
    """Results or answers, by code with underscores; then other changes."""

    def change(facts: Facts) -> Facts:
        said = {code.replace("_", "-"): answer for code, answer in answers.items()}
        facts = replace(facts, metrics={**facts.metrics, **said})
        for more in changes:
            facts = more(facts)
        return facts

    return change


def claims(amount: str, *, used: str = "0.00", in_program: str = "0.00", cost: str = "") -> Change:
    """One line of an amount; what others hold of the same limit."""

    def change(facts: Facts) -> Facts:
        line = replace(
            facts.lines[0],
            amount_minor=to_minor(amount, facts.currency),
            cost_minor=to_minor(cost, facts.currency) if cost else None,
        )
        return replace(
            facts,
            lines=[line],
            held_minor=10**8,  # the fund's own money is not what is looked at
            used_in_fund_minor=to_minor(used, facts.currency),
            used_in_program_minor=to_minor(in_program, facts.currency),
        )

    return change


def dated(kind: str, day: date | None) -> Change:
    return lambda facts: replace(
        facts, documents=[replace(one, dated_on=day) if one.kind == kind else one for one in facts.documents]
    )


def detail(code: str, value: str) -> Change:
    return lambda facts: replace(
        facts, lines=[replace(line, details={**line.details, code: value}) for line in facts.lines]
    )


def in_house(facts: Facts) -> Facts:
    """The work was done in-house, and a CSR shows it."""
    return replace(
        facts,
        lines=[replace(line, kind="csr") for line in facts.lines],
        documents=[replace(one, kind="csr") if one.kind == "invoice" else one for one in facts.documents],
    )


def on_days(first: date | None, last: date | None) -> Change:
    return lambda facts: replace(facts, activity_from=first, activity_to=last)


def sent(at: datetime) -> Change:
    return lambda facts: replace(facts, at=at)


def invoiced(day: date | None) -> Change:
    return lambda facts: replace(facts, lines=[replace(line, invoiced_on=day) for line in facts.lines])


# --- What every activity is asked ---------------------------------------------------------------------------------------

IN_USE = "1 Jan 2024 to 30 Jun 2024"
EVERYWHERE = [
    Miss(
        on_days(date(2023, 12, 31), date(2024, 3, 2)),
        "use_period",
        "activity_from",
        "The activity must take place inside the use period.",
        "first day 31 Dec 2023",
        f"Give a first day from {IN_USE}. Work outside it belongs to another fund.",
    ),
    Miss(
        on_days(date(2024, 6, 24), date(2024, 7, 1)),
        "use_period",
        "activity_to",
        "The activity must take place inside the use period.",
        "last day 1 Jul 2024",
        f"Give a last day from {IN_USE}. Work outside it belongs to another fund.",
    ),
    Miss(
        sent(datetime(2024, 2, 14, 23, 59, 59, tzinfo=UTC)),
        "claim_window",
        "",
        "A claim must be sent while the fund takes claims.",
        "14 Feb 2024, 23:59:59 UTC",
        "Finish the draft now and send it on 15 Feb 2024 or later.",
    ),
    Miss(
        sent(datetime(2024, 8, 15, tzinfo=UTC)),
        "claim_window",
        "",
        "A claim must be sent while the fund takes claims.",
        "15 Aug 2024, 00:00 UTC",
        "The claim deadline has passed; this fund takes no more claims.",
    ),
    Miss(
        invoiced(date(2024, 8, 15)),
        "invoice_date",
        "lines.1.invoiced_on",
        "The invoice must be dated inside the use period or at most 45 days after it.",
        "15 Aug 2024",
        "Correct the date if it was mistyped; an invoice dated outside 1 Jan 2024 to 14 Aug 2024 cannot be claimed from "
        "this fund.",
    ),
    Miss(
        claims("1000.00", cost="999.99"),
        "allowance",
        "lines.1.amount",
        "The actual cost is paid in full, then limited.",
        "1,000.00 USD of 999.99 USD",
        "Claim 999.99 USD of it, or enter what it cost if that was more.",
    ),
]

# --- What each activity is asked ----------------------------------------------------------------------------------------

MISSES: dict[str, list[Miss]] = {
    "tv-radio": [
        Miss(
            Without("final-ad"),
            "proof_of_execution.tv-radio.final-ad",
            "documents.final-ad",
            "TV and radio advertising must be proved by: final advertisement.",
            "nothing uploaded for it",
            "Upload this: final advertisement. A copy of the advertisement as it was aired, or a link to it.",
        ),
        Miss(
            Without("final-approval"),
            "proof_of_execution.tv-radio.final-approval",
            "documents.final-approval",
            "TV and radio advertising must be proved by: final approval before airing.",
            "nothing uploaded for it",
            "Upload this: final approval before airing. The vendor's final approval, dated before the first airing.",
        ),
        Miss(
            dated("final-approval", date(2024, 3, 1)),
            "approval_before.tv-radio",
            "documents.final-approval",
            "The final approval must be dated before the first airing.",
            "dated 1 Mar 2024",
            "What ran before its approval is not paid. Correct the day if it was mistyped.",
        ),
        Miss(
            dated("final-approval", None),
            "approval_before.tv-radio",
            "documents.final-approval",
            "The final approval must be dated before the first airing.",
            "no day on it",
            "Enter the day that stands on the approval.",
            "person",
        ),
        Miss(
            answered(estimated_reach=""),
            "results.tv-radio.estimated-reach",
            "metrics.estimated-reach",
            "The result “Estimated reach” must be reported.",
            "nothing",
            "Fill in “Estimated reach” with a whole number.",
        ),
        Miss(
            answered(estimated_reach="many"),
            "results.tv-radio.estimated-reach",
            "metrics.estimated-reach",
            "The result “Estimated reach” must be reported.",
            "many",
            "Fill in “Estimated reach” with a whole number.",
        ),
    ],
    "print-advertising": [
        Miss(
            Without("final-piece"),
            "proof_of_execution.print-advertising.final-piece",
            "documents.final-piece",
            "Print advertising must be proved by: final piece.",
            "nothing uploaded for it",
            "Upload this: final piece. A copy of the piece as it was printed, with the vendor's brand and content in it.",
        ),
        Miss(
            answered(estimated_reach=""),
            "results.print-advertising.estimated-reach",
            "metrics.estimated-reach",
            "The result “Estimated reach” must be reported.",
            "nothing",
            "Fill in “Estimated reach” with a whole number.",
        ),
    ],
    "digital-advertising": [
        Miss(
            Without("ad-screenshot"),
            "proof_of_execution.digital-advertising.ad-screenshot",
            "documents.ad-screenshot",
            "Digital advertising must be proved by: screenshot of the advertisement.",
            "nothing uploaded for it",
            "Upload this: screenshot of the advertisement. A picture of the advertisement as people saw it.",
        ),
        Miss(
            Without("landing-page-url"),
            "proof_of_execution.digital-advertising.landing-page-url",
            "documents.landing-page-url",
            "Digital advertising must be proved by: address of the landing page.",
            "nothing uploaded for it",
            "Upload this: address of the landing page. The address that the advertisement leads to, on a print of the page or in a short text file.",
        ),
        Miss(
            answered(results_summary=""),
            "results.digital-advertising.results-summary",
            "metrics.results-summary",
            "The result “Summary of results” must be reported.",
            "nothing",
            "Fill in “Summary of results”.",
        ),
    ],
    "direct-mail": [
        Miss(
            Without("final-piece"),
            "proof_of_execution.direct-mail.final-piece",
            "documents.final-piece",
            "Direct mail, email and SMS must be proved by: final piece.",
            "nothing uploaded for it",
            "Upload this: final piece. A copy of the message as it was sent.",
        ),
        Miss(
            Without("proof-of-distribution"),
            "proof_of_execution.direct-mail.proof-of-distribution",
            "documents.proof-of-distribution",
            "Direct mail, email and SMS must be proved by: proof of distribution.",
            "nothing uploaded for it",
            "Upload this: proof of distribution. What shows that it went out and to how many: a postage receipt or a report of the sending.",
        ),
        Miss(
            answered(estimated_reach="1,200"),
            "results.direct-mail.estimated-reach",
            "metrics.estimated-reach",
            "The result “Estimated reach” must be reported.",
            "1,200",
            "Fill in “Estimated reach” with a whole number.",
        ),
    ],
    "website-search": [
        Miss(
            Without("url", "screenshots"),
            "proof_of_execution.website-search.url-or-screenshots",
            "documents.url",
            "Partner website and search must be proved by: address of the page or screenshots.",
            "nothing uploaded for it",
            "Upload this: address of the page or screenshots. The address of the page, on a print of it or in a short text file.",
        ),
        Miss(
            answered(Without("statement-of-work"), search="yes"),
            "proof_of_execution.website-search.statement-of-work",
            "documents.statement-of-work",
            "Partner website and search must be proved by: statement of work.",
            "nothing uploaded for it",
            "Upload this: statement of work. What the supplier was asked to do. Needed for search, not for web pages.",
        ),
        Miss(
            answered(search=""),
            "results.website-search.search",
            "metrics.search",
            "The question “Is it work for search?” must be answered.",
            "nothing",
            "Answer “Is it work for search?” with yes or no.",
            "person",
        ),
        Miss(
            answered(results_summary=""),
            "results.website-search.results-summary",
            "metrics.results-summary",
            "The result “Summary of results” must be reported.",
            "nothing",
            "Fill in “Summary of results”.",
        ),
    ],
    "syndicated-content": [
        Miss(
            Without("url", "screenshots"),
            "proof_of_execution.syndicated-content.url-or-screenshots",
            "documents.url",
            "Syndicated content must be proved by: address of the page or screenshots.",
            "nothing uploaded for it",
            "Upload this: address of the page or screenshots. The address of the page, on a print of it or in a short text file.",
        ),
        Miss(
            answered(results_summary=""),
            "results.syndicated-content.results-summary",
            "metrics.results-summary",
            "The result “Summary of results” must be reported.",
            "nothing",
            "Fill in “Summary of results”.",
        ),
        Miss(
            claims("18750.01"),
            "limit.syndicated-content",
            "lines",
            "At most 18,750.00 USD in a use period.",
            "18,750.01 USD claimed",
            "Lower the lines by 0.01 USD in all.",
        ),
        Miss(
            claims("1000.00", used="18000.00"),
            "limit.syndicated-content",
            "lines",
            "At most 18,750.00 USD in a use period.",
            "1,000.00 USD claimed, 18,000.00 USD held or granted for other claims",
            "Lower the lines by 250.00 USD in all.",
        ),
        Miss(
            claims("0.01", used="18750.00"),
            "limit.syndicated-content",
            "lines",
            "At most 18,750.00 USD in a use period.",
            "0.01 USD claimed, 18,750.00 USD held or granted for other claims",
            "Nothing more is paid for this activity here. Use the money for another one.",
        ),
    ],
    "multi-touch": [
        Miss(
            answered(parts=""),
            "results.multi-touch.parts",
            "metrics.parts",
            "The result “Parts of the campaign” must be reported.",
            "nothing",
            "Fill in “Parts of the campaign” with the codes of activities, with commas between them.",
        ),
        Miss(
            answered(parts="direct-mail"),
            "proof_of_parts.multi-touch",
            "metrics.parts",
            "Each part of a multi-touch campaign must be proved as it would be by itself.",
            "1 part",
            "Name all parts of the campaign; a claim for one of them alone is made for that activity.",
        ),
        Miss(
            Without("ad-screenshot"),
            "proof_of_execution.digital-advertising.ad-screenshot",
            "documents.ad-screenshot",
            "Digital advertising must be proved by: screenshot of the advertisement.",
            "nothing uploaded for it",
            "Upload this: screenshot of the advertisement. A picture of the advertisement as people saw it.",
        ),
        Miss(
            Without("landing-page-url"),
            "proof_of_execution.digital-advertising.landing-page-url",
            "documents.landing-page-url",
            "Digital advertising must be proved by: address of the landing page.",
            "nothing uploaded for it",
            "Upload this: address of the landing page. The address that the advertisement leads to, on a print of the page or in a short text file.",
        ),
        Miss(
            Without("final-piece"),
            "proof_of_execution.direct-mail.final-piece",
            "documents.final-piece",
            "Direct mail, email and SMS must be proved by: final piece.",
            "nothing uploaded for it",
            "Upload this: final piece. A copy of the message as it was sent.",
        ),
        Miss(
            Without("proof-of-distribution"),
            "proof_of_execution.direct-mail.proof-of-distribution",
            "documents.proof-of-distribution",
            "Direct mail, email and SMS must be proved by: proof of distribution.",
            "nothing uploaded for it",
            "Upload this: proof of distribution. What shows that it went out and to how many: a postage receipt or a report of the sending.",
        ),
        Miss(
            answered(Without("url", "screenshots"), parts="direct-mail, syndicated-content"),
            "proof_of_execution.syndicated-content.url-or-screenshots",
            "documents.url",
            "Syndicated content must be proved by: address of the page or screenshots.",
            "nothing uploaded for it",
            "Upload this: address of the page or screenshots. The address of the page, on a print of it or in a short text file.",
        ),
        Miss(
            answered(parts="direct-mail, website-search", search=""),
            "results.website-search.search",
            "metrics.search",
            "The question “Is it work for search?” must be answered.",
            "nothing",
            "Answer “Is it work for search?” with yes or no.",
            "person",
        ),
        Miss(
            answered(Without("statement-of-work"), parts="direct-mail, website-search", search="yes"),
            "proof_of_execution.website-search.statement-of-work",
            "documents.statement-of-work",
            "Partner website and search must be proved by: statement of work.",
            "nothing uploaded for it",
            "Upload this: statement of work. What the supplier was asked to do. Needed for search, not for web pages.",
        ),
    ],
    "telemarketing": [
        Miss(
            Without("call-script"),
            "proof_of_execution.telemarketing.call-script",
            "documents.call-script",
            "Telemarketing must be proved by: call script.",
            "nothing uploaded for it",
            "Upload this: call script. The text that the callers used, naming the vendor's product.",
        ),
        Miss(
            Without("call-log"),
            "proof_of_execution.telemarketing.call-log",
            "documents.call-log",
            "Telemarketing must be proved by: call log.",
            "nothing uploaded for it",
            "Upload this: call log. A list of the calls with date and outcome; names may be blacked out.",
        ),
        Miss(
            answered(calls=""),
            "results.telemarketing.calls",
            "metrics.calls",
            "The result “Calls made” must be reported.",
            "nothing",
            "Fill in “Calls made” with a whole number.",
        ),
        Miss(
            answered(successful_contacts="some"),
            "results.telemarketing.successful-contacts",
            "metrics.successful-contacts",
            "The result “Successful contacts” must be reported.",
            "some",
            "Fill in “Successful contacts” with a whole number.",
        ),
    ],
    "seminar": [
        Miss(
            Without("invitation-agenda"),
            "proof_of_execution.seminar.invitation-agenda",
            "documents.invitation-agenda",
            "Customer seminars and boot camps must be proved by: invitation and agenda.",
            "nothing uploaded for it",
            "Upload this: invitation and agenda. What was sent to the guests, with date, place and programme.",
        ),
        Miss(
            Without("photos"),
            "proof_of_execution.seminar.photos",
            "documents.photos",
            "Customer seminars and boot camps must be proved by: photos of the event.",
            "nothing uploaded for it",
            "Upload this: photos of the event. Pictures that show the event with the vendor's brand and content.",
        ),
        Miss(
            answered(Without("slides"), brand_in_photos="no"),
            "proof_of_execution.seminar.slides",
            "documents.slides",
            "Customer seminars and boot camps must be proved by: slides.",
            "nothing uploaded for it",
            "Upload this: slides. What was shown, with the vendor's brand and content. Needed if the photos do not show them.",
        ),
        Miss(
            answered(brand_in_photos=""),
            "results.seminar.brand-in-photos",
            "metrics.brand-in-photos",
            "The question “Do the photos show the vendor's brand and content?” must be answered.",
            "nothing",
            "Answer “Do the photos show the vendor's brand and content?” with yes or no.",
            "person",
        ),
        Miss(
            answered(registered_guests=""),
            "results.seminar.registered-guests",
            "metrics.registered-guests",
            "The result “Registered guests” must be reported.",
            "nothing",
            "Fill in “Registered guests” with a whole number.",
        ),
        Miss(
            answered(no_alcohol=""),
            "declaration.seminar.no-alcohol",
            "metrics.no-alcohol",
            "Alcohol is not paid.",
            "not confirmed",
            "Confirm “No alcohol is in the cost”, or take out what does not fit.",
            "person",
        ),
    ],
    "trade-show": [
        Miss(
            Without("invitation-agenda"),
            "proof_of_execution.trade-show.invitation-agenda",
            "documents.invitation-agenda",
            "Trade shows must be proved by: invitation and agenda.",
            "nothing uploaded for it",
            "Upload this: invitation and agenda. What announced the show, with date, place and programme.",
        ),
        Miss(
            Without("booth-photo"),
            "proof_of_execution.trade-show.booth-photo",
            "documents.booth-photo",
            "Trade shows must be proved by: photo of the booth or talk.",
            "nothing uploaded for it",
            "Upload this: photo of the booth or talk. A picture that shows the booth or the talk with the vendor's brand.",
        ),
        Miss(
            answered(visitors=""),
            "results.trade-show.visitors",
            "metrics.visitors",
            "The result “Visitors” must be reported.",
            "nothing",
            "Fill in “Visitors” with a whole number.",
        ),
        Miss(
            answered(no_alcohol="no"),
            "declaration.trade-show.no-alcohol",
            "metrics.no-alcohol",
            "Alcohol is not paid.",
            "no",
            "Confirm “No alcohol is in the cost”, or take out what does not fit.",
        ),
    ],
    "customer-offer": [
        Miss(
            Without("offer-terms"),
            "proof_of_execution.customer-offer.offer-terms",
            "documents.offer-terms",
            "Customer offers must be proved by: offer with its terms.",
            "nothing uploaded for it",
            "Upload this: offer with its terms. The offer as customers saw it, with who can have it, what it gives and until when.",
        ),
        Miss(
            answered(results_summary=""),
            "results.customer-offer.results-summary",
            "metrics.results-summary",
            "The result “Summary of results” must be reported.",
            "nothing",
            "Fill in “Summary of results”.",
        ),
        Miss(
            claims("2500.90"),
            "limit.customer-offer",
            "lines",
            "At most 25 % of the co-op earned for a use period; Surface programs 100 %.",
            "2,500.90 USD claimed",
            "Lower the lines by 0.01 USD in all.",
        ),
        Miss(
            claims("1000.00", used="2000.00"),
            "limit.customer-offer",
            "lines",
            "At most 25 % of the co-op earned for a use period; Surface programs 100 %.",
            "1,000.00 USD claimed, 2,000.00 USD held or granted for other claims",
            "Lower the lines by 499.11 USD in all.",
        ),
    ],
    "spiff": [
        Miss(
            Without("rules-terms"),
            "proof_of_execution.spiff.rules-terms",
            "documents.rules-terms",
            "Internal incentives (SPIFF) must be proved by: rules with their terms.",
            "nothing uploaded for it",
            "Upload this: rules with their terms. The rules of the incentive as the sales people saw them: who takes part, what is rewarded, from when to when.",
        ),
        Miss(
            answered(results_summary=""),
            "results.spiff.results-summary",
            "metrics.results-summary",
            "The result “Summary of results” must be reported.",
            "nothing",
            "Fill in “Summary of results”.",
        ),
        Miss(
            claims("2500.90"),
            "limit.spiff",
            "lines",
            "At most 25 % of the co-op earned for a use period; Surface programs 100 %.",
            "2,500.90 USD claimed",
            "Lower the lines by 0.01 USD in all.",
        ),
    ],
    "on-site-champ": [
        Miss(
            Without("deliverables-sample"),
            "proof_of_execution.on-site-champ.deliverables-sample",
            "documents.deliverables-sample",
            "On-site champ must be proved by: sample of deliverables.",
            "nothing uploaded for it",
            "Upload this: sample of deliverables. Something that the person made or did in the time claimed for.",
        ),
        Miss(
            claims("5001.79"),
            "limit.on-site-champ",
            "lines",
            "At most 50 % of the co-op earned for a use period; Surface programs 100 %.",
            "5,001.79 USD claimed",
            "Lower the lines by 0.01 USD in all.",
        ),
    ],
    "proof-of-concept": [
        Miss(
            Without("materials"),
            "proof_of_execution.proof-of-concept.materials",
            "documents.materials",
            "Proof of concept must be proved by: materials.",
            "nothing uploaded for it",
            "Upload this: materials. What the trial produced: a white paper, a case study, a demonstration.",
        ),
    ],
    "employee-purchase": [
        Miss(
            Without("url", "screenshots"),
            "proof_of_execution.employee-purchase.url-or-screenshots",
            "documents.url",
            "Employee purchase web set-up must be proved by: address of the page or screenshots.",
            "nothing uploaded for it",
            "Upload this: address of the page or screenshots. The address of the page, on a print of it or in a short text file.",
        ),
    ],
    "partner-program": [
        Miss(
            Without("invoice"),
            "money_evidence.partner-program",
            "lines.1",
            "Taking part in a partner program must be shown by the vendor's original invoice.",
            "1,000.00 USD of Fabrikam INV-1",
            "Upload the invoice for Fabrikam INV-1.",
        ),
        Miss(
            in_house,
            "money_evidence.partner-program",
            "lines.1",
            "Taking part in a partner program must be shown by the vendor's original invoice.",
            "1,000.00 USD of Fabrikam INV-1, shown by a CSR",
            "Take this line out, or claim it with the invoice instead.",
        ),
    ],
    "exams-tuition": [
        Miss(
            Without("invoice"),
            "money_evidence.exams-tuition",
            "lines.1",
            "Exams and tuition must be shown by the invoice with the code of the course or exam.",
            "1,000.00 USD of Fabrikam INV-1",
            "Upload the invoice for Fabrikam INV-1.",
        ),
        Miss(
            in_house,
            "money_evidence.exams-tuition",
            "lines.1",
            "Exams and tuition must be shown by the invoice with the code of the course or exam.",
            "1,000.00 USD of Fabrikam INV-1, shown by a CSR",
            "Take this line out, or claim it with the invoice instead.",
        ),
        Miss(
            detail("course-code", ""),
            "line_detail.exams-tuition.course-code",
            "lines.1.details.course-code",
            "The invoice for an exam or a course must show its code.",
            "nothing",
            "Fill in “Code of the course or exam” for Fabrikam INV-1.",
            "person",
        ),
        Miss(
            detail("completion-date", ""),
            "line_detail.exams-tuition.completion-date",
            "lines.1.details.completion-date",
            "The exam or course must be completed inside the use period.",
            "nothing",
            "Fill in “Completed on” for Fabrikam INV-1.",
            "person",
        ),
        Miss(
            detail("completion-date", "2024-07-01"),
            "line_detail.exams-tuition.completion-date",
            "lines.1.details.completion-date",
            "The exam or course must be completed inside the use period.",
            "1 Jul 2024",
            "Work outside 1 Jan 2024 to 30 Jun 2024 belongs to another fund. Correct the day if it was mistyped.",
        ),
        Miss(
            answered(attendees=""),
            "results.exams-tuition.attendees",
            "metrics.attendees",
            "The result “Attendees” must be reported.",
            "nothing",
            "Fill in “Attendees” with a whole number.",
        ),
        Miss(
            answered(cost_per_person="1.005"),
            "results.exams-tuition.cost-per-person",
            "metrics.cost-per-person",
            "The result “Cost per person” must be reported.",
            "1.005",
            "Fill in “Cost per person” with an amount such as 120.00.",
        ),
    ],
    "internal-training": [
        Miss(
            Without("agenda"),
            "proof_of_execution.internal-training.agenda",
            "documents.agenda",
            "Internal training and floor days must be proved by: agenda.",
            "nothing uploaded for it",
            "Upload this: agenda. The programme with date, place and topics.",
        ),
        Miss(
            Without("vendor-content"),
            "proof_of_execution.internal-training.vendor-content",
            "documents.vendor-content",
            "Internal training and floor days must be proved by: vendor content.",
            "nothing uploaded for it",
            "Upload this: vendor content. The material used; all of it, 100 %, is about the vendor's products.",
        ),
        Miss(
            answered(attendees=""),
            "results.internal-training.attendees",
            "metrics.attendees",
            "The result “Attendees” must be reported.",
            "nothing",
            "Fill in “Attendees” with a whole number.",
        ),
        Miss(
            answered(no_alcohol=""),
            "declaration.internal-training.no-alcohol",
            "metrics.no-alcohol",
            "Alcohol is not paid.",
            "not confirmed",
            "Confirm “No alcohol is in the cost”, or take out what does not fit.",
            "person",
        ),
        Miss(
            answered(vendor_content_only=""),
            "declaration.internal-training.vendor-content-only",
            "metrics.vendor-content-only",
            "Internal training must be on the vendor's products alone.",
            "not confirmed",
            "Confirm “All of the content, 100 %, is about the vendor's products”, or take out what does not fit.",
            "person",
        ),
    ],
    "vendor-conference": [
        Miss(
            Without("registration"),
            "proof_of_execution.vendor-conference.registration",
            "documents.registration",
            "Vendor-hosted conferences must be proved by: registration.",
            "nothing uploaded for it",
            "Upload this: registration. The confirmation with the names of those who went.",
        ),
        Miss(
            Without("itinerary"),
            "proof_of_execution.vendor-conference.itinerary",
            "documents.itinerary",
            "Vendor-hosted conferences must be proved by: itinerary.",
            "nothing uploaded for it",
            "Upload this: itinerary. The bookings of travel and stay, with names and days.",
        ),
        Miss(
            answered(travellers=""),
            "results.vendor-conference.travellers",
            "metrics.travellers",
            "The result “People who travelled” must be reported.",
            "nothing",
            "Fill in “People who travelled” with a whole number.",
            "person",
        ),
        Miss(
            answered(travellers="4"),
            "head_count.vendor-conference",
            "metrics.travellers",
            "Travel: at most 3 people.",
            "4 people",
            "Ask only for what 3 people cost, and correct the number.",
        ),
        Miss(
            answered(claims("10000.01"), travellers="2"),
            "limit.vendor-conference.person",
            "lines",
            "Travel: at most 5,000.00 USD per person.",
            "10,000.01 USD claimed",
            "Lower the lines by 0.01 USD in all.",
        ),
        Miss(
            answered(claims("10000.00", in_program="35000.01"), travellers="2"),
            "limit.vendor-conference",
            "lines",
            "Travel: at most 45,000.00 USD per use period and program.",
            "10,000.00 USD claimed, 35,000.01 USD held or granted for other claims",
            "Lower the lines by 0.01 USD in all.",
        ),
    ],
    "product-seeding": [
        Miss(
            Without("system-specification", "proof-of-delivery"),
            "proof_of_execution.product-seeding.specification-or-delivery",
            "documents.system-specification",
            "Product seeding and demo units must be proved by: system specification or proof of delivery.",
            "nothing uploaded for it",
            "Upload this: system specification or proof of delivery. What the device is, with the vendor's product on it.",
        ),
        Miss(
            claims("3000.01"),
            "limit.product-seeding",
            "lines",
            "At most 10 % of the co-op earned for a use period or 3,000.00 USD, whichever is greater; Surface programs have no limit.",
            "3,000.01 USD claimed",
            "Lower the lines by 0.01 USD in all.",
        ),
    ],
}
