"""Pages of the rules: read them, draft a change, see it in words, simulate it, have a second person publish it."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from claims.models import Publication, RuleDraft
from claims.operations import rule_drafts as drafts
from claims.queries.catalog import current_catalog
from coop.lib import clock
from tests.factories import make_approved_claim, make_fund, make_partner, make_person, need_catalog, vendor
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db

CODE = "limit.spiff"
PAGES = ("rules", "rules-publications", "rules-simulator")


@pytest.fixture(autouse=True)
def shipped() -> None:
    need_catalog()


def begun() -> RuleDraft:
    return drafts.begin_draft(title="FY28: less for SPIFF", by=vendor("program"), at=clock.now())


def form_of(client: Client, draft: RuleDraft, code: str = CODE) -> dict[str, Any]:
    """What the form of a rule would send if nothing were changed."""
    form = client.get(reverse("rules-draft-rule", args=[draft.pk, code])).context["form"]
    said = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in said.items() if value not in (None, False)} | {"revision": draft.revision}


EXAMPLES = """
[[examples]]
outcome = "passed"
facts = { earned = "10000.00", claimed = "1000.00" }
[[examples]]
outcome = "failed"
facts = { earned = "10000.00", claimed = "1000.01" }
"""


def changed(client: Client, draft: RuleDraft, **more: Any) -> Any:
    said = form_of(client, draft) | {"param_percent": "10", "first_day": "2027-07-01", "examples": EXAMPLES}
    return client.post(reverse("rules-draft-rule", args=[draft.pk, CODE]), {**said, **more})


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["program", "finance", "auditor", "manager"])
def test_all_of_the_vendors_people_read_the_rules(enter: Enter, role: str) -> None:
    client = enter(role)
    for name in PAGES:
        assert client.get(reverse(name)).status_code == 200, name
    page = words(client.get(reverse("rules")))
    assert ("Change the rules" in page) == (role == "program")
    assert f'href="{reverse("rules")}"' in client.get(reverse("glossary")).content.decode()


def test_partners_people_are_refused(enter: Enter) -> None:
    client = enter(make_person(make_partner()))
    for name in PAGES:
        assert client.get(reverse(name)).status_code == 403, name


def test_the_list_says_each_rule_with_its_figures_its_scope_and_its_days(enter: Enter) -> None:
    page = words(get_within_bound(enter("auditor"), f"{reverse('rules')}?kind=limit&program=mci-csp-reseller"))
    assert "At most 25 % of the co-op that the fund earned" in page
    assert "For Internal incentives (SPIFF)" in page
    assert "From 1 Jul 2019 on" in page
    assert "Surface" not in page.partition("Rules that hold")[2].partition("rules hold on")[2]


def test_a_filter_that_nothing_fits_says_so(enter: Enter) -> None:
    page = words(enter("auditor").get(f"{reverse('rules')}?on=2010-01-01"))
    assert "No rule fits these filters" in page


def test_a_rule_has_its_versions_its_examples_and_what_else_answers_the_same_question(enter: Enter) -> None:
    page = words(enter("program").get(reverse("rules-rule", args=[CODE])))
    assert "Version 1 Holds today" in page
    assert "tried whenever the catalog is loaded" in page
    assert "Rules that answer the same question" in page
    assert "in surface-add and surface-adr" in page  # programs that this catalog does not hold
    assert enter("program").get(reverse("rules-rule", args=["limit.moon"])).status_code == 404


def test_a_publication_says_what_changed_and_goes_out_as_a_file(enter: Enter) -> None:
    client, first = enter("auditor"), Publication.objects.get()
    page = words(client.get(reverse("rules-publication", args=[first.pk])))
    assert "The first catalog: 1 programs" in page
    answer = client.get(reverse("rules-publication-file", args=[first.pk]))
    assert answer["Content-Disposition"] == f'attachment; filename="catalog-{first.pk}.toml"'
    assert tomllib.loads(answer.content.decode())["rules"][0]["code"] == "claim_window"
    assert client.get(reverse("rules-publication", args=[999])).status_code == 404


# --- From a draft to a publication ----------------------------------------------------------------------------------------


def test_a_change_goes_from_a_draft_to_a_publication_by_two_people(enter: Enter) -> None:
    client = enter("program")
    answer = client.post(reverse("rules-draft-new"), {"title": "FY28: less for SPIFF", "rule": CODE})
    draft = RuleDraft.objects.get()
    assert answer["Location"] == reverse("rules-draft-rule", args=[draft.pk, CODE])
    assert changed(client, draft).status_code == 302

    page = words(get_within_bound(client, reverse("rules-draft", args=[draft.pk]), 14))
    assert "Changed from 1 Jul 2027 on for Internal incentives (SPIFF): “At most 10 % of the co-op" in page
    assert "Version 1 holds from 1 Jul 2019 to 30 Jun 2027." in page
    assert "Request publication" in page

    act = reverse("rules-draft-act", args=[draft.pk, "request"])
    assert client.post(act, {"note": "As agreed"}).status_code == 302
    assert "another program admin decides" in words(client.get(reverse("rules-draft", args=[draft.pk])))
    publish = reverse("rules-draft-act", args=[draft.pk, "publish"])
    refused = client.post(publish)
    assert refused.status_code == 400
    assert "another program admin" in words(refused)
    second = enter("program2")
    assert "Publish these rules" in words(second.get(reverse("rules-draft", args=[draft.pk])))
    assert second.post(publish).status_code == 302
    assert Publication.objects.count() == 2
    [newest] = [r for r in current_catalog()["rules"] if r["code"] == CODE and r["version"] == 2]
    assert newest["params"] == {"percent": "10"}
    page = words(client.get(reverse("rules-publications")))
    assert "Paul Novak, asked for by Priya Raman" in page


def test_what_does_not_fit_is_said_beside_its_field(enter: Enter) -> None:
    client, draft = enter("program"), begun()
    answer = changed(client, draft, param_percent="125", first_day="", examples="[[examples", countries="Germany")
    assert answer.status_code == 400
    page = words(answer)
    assert "Say from which day on it holds" in page
    assert "The examples cannot be read" in page
    answer = changed(client, draft, param_percent="125", countries="Germany")
    page = words(answer)
    assert "“125” does not fit. It must be a percentage" in page
    assert "It must be a list of countries" in page
    draft.refresh_from_db()
    assert draft.catalog == draft.base.catalog


def test_a_gap_is_drawn_on_a_line_of_time_and_keeps_the_draft_from_being_asked_for(enter: Enter) -> None:
    client, draft = enter("program"), begun()
    assert (
        client.post(
            reverse("rules-draft-rule-end", args=[draft.pk, "money_evidence"]), {"end_on": "2027-06-30"}
        ).status_code
        == 302
    )
    page = words(client.get(reverse("rules-draft", args=[draft.pk])))
    assert "1 fault to mend before it can be published" in page
    assert "No rule of the kind “money_evidence” holds for everybody from 1 Jul 2027 on" in page
    answer = client.post(reverse("rules-draft-act", args=[draft.pk, "request"]))
    assert answer.status_code == 400
    restore = reverse("rules-draft-rule-restore", args=[draft.pk, "money_evidence"])
    assert client.post(restore).status_code == 302
    assert "Nothing yet" in words(client.get(reverse("rules-draft", args=[draft.pk])))


def test_a_new_rule_is_added_with_its_figures(enter: Enter) -> None:
    client, draft = enter("program"), begun()
    address = f"{reverse('rules-draft-rule-new', args=[draft.pk])}?kind=limit"
    assert "Counted over" in words(client.get(address))
    said = {
        "code": "limit.seminar",
        "sentence": "At most 500.00 USD.",
        "first_day": "2027-07-01",
        "activities": ["seminar"],
        "param_amount": "500.00",
        "param_currency": "USD",
        "examples": EXAMPLES.replace("1000.00", "500.00").replace("1000.01", "500.01"),
    }
    answer = client.post(address, said)
    assert answer["Location"] == reverse("rules-draft-rule", args=[draft.pk, "limit.seminar"])
    assert "New from 1 Jul 2027 on for Customer seminars" in words(client.get(reverse("rules-draft", args=[draft.pk])))


def test_each_rule_comes_out_of_its_form_as_it_went_in(enter: Enter) -> None:
    """Every kind of figure survives its field: saving a form without a change only makes the next version of the same."""
    client, draft = enter("program"), begun()
    one_of_each = {r["code"].partition(".")[0]: r for r in draft.catalog["rules"] if r.get("valid_to") is None}
    for row in one_of_each.values():
        draft.refresh_from_db()
        said = form_of(client, draft, row["code"]) | {"first_day": "2027-07-01"}
        answer = client.post(reverse("rules-draft-rule", args=[draft.pk, row["code"]]), said)
        assert answer.status_code == 302, (row["code"], words(answer)[:2_000])
        draft.refresh_from_db()
        newest = max((r for r in draft.catalog["rules"] if r["code"] == row["code"]), key=lambda r: r["version"])
        assert newest == {**row, "version": row["version"] + 1, "valid_from": "2027-07-01"}


def test_a_draft_goes_out_as_a_file_and_comes_back_changed(enter: Enter) -> None:
    client, draft = enter("program"), begun()
    address = reverse("rules-draft-file", args=[draft.pk])
    text = client.get(address).content.decode().replace('name = "Hosting"', "")
    broken = client.post(
        address, {"file": SimpleUploadedFile("c.toml", text.replace("format = 2", "format = 9").encode())}
    )
    assert broken.status_code == 400
    assert "this version reads format 2" in words(broken)
    renamed = text.replace('name = "Direct mail, email and SMS"', 'name = "Direct mail"')
    assert client.post(address, {"file": SimpleUploadedFile("c.toml", renamed.encode())}).status_code == 302
    page = words(client.get(reverse("rules-draft", args=[draft.pk])))
    assert "Activity Direct mail: the name is “Direct mail” instead of “Direct mail, email and SMS”." in page


def test_a_stale_draft_shows_what_was_published_meanwhile(enter: Enter) -> None:
    mine, other = begun(), begun()
    drafts.end_rule(
        other.id, "limit.syndicated-content", last_day=date(2027, 6, 30), by=vendor("program"), at=clock.now()
    )
    drafts.request_publication(other.id, by=vendor("program"), at=clock.now())
    drafts.publish_draft(other.id, by=vendor("program2"), at=clock.now())
    client = enter("program")
    page = words(client.get(reverse("rules-draft", args=[mine.pk])))
    assert "came out since this draft was begun" in page
    assert "Ends on 30 Jun 2027 for Syndicated content" in page
    assert client.post(reverse("rules-draft-act", args=[mine.pk, "renew"])).status_code == 302
    assert "came out since" not in words(client.get(reverse("rules-draft", args=[mine.pk])))


@pytest.mark.parametrize("role", ["finance", "auditor", "manager"])
def test_others_see_a_draft_and_change_nothing(enter: Enter, role: str) -> None:
    draft, client = begun(), enter(role)
    page = words(client.get(reverse("rules-draft", args=[draft.pk])))
    assert "Request publication" not in page
    for name, args in (("rules-draft-new", []), ("rules-draft-rule", [draft.pk, CODE])):
        assert client.get(reverse(name, args=args)).status_code == 403
    assert client.post(reverse("rules-draft-act", args=[draft.pk, "discard"])).status_code == 403
    assert client.post(reverse("rules-draft-act", args=[draft.pk, "sing"])).status_code == 404


# --- Simulator --------------------------------------------------------------------------------------------------------


def test_the_simulator_shows_decisions_side_by_side_and_a_link_pinned_to_its_inputs(enter: Enter) -> None:
    claim = make_approved_claim(make_fund(), "2000.00", activity="spiff")
    client, draft = enter("program"), begun()
    changed(client, draft, first_day="2024-01-01")
    address = f"{reverse('rules-simulator')}?rules=draft-{draft.pk}&first=2023-07-01&last=2024-06-30"
    page = words(get_within_bound(client, address, 26))
    assert "1 of 1 decisions would have come out otherwise" in page
    assert "Nothing was written" in page
    assert claim.number in page
    assert "2,000.00 USD approved" in page
    assert "1,000.36 USD approved" in page
    assert "999.64 USD less" in page
    assert f"revision={draft.revision + 1}" in client.get(address).content.decode()
    assert "was changed since this link was made" in words(client.get(f"{address}&revision=1"))


def test_the_simulator_says_that_last_years_rules_give_what_happened(enter: Enter) -> None:
    make_approved_claim(make_fund(), "2000.00", activity="spiff")
    number = Publication.objects.get().pk
    address = f"{reverse('rules-simulator')}?rules=publication-{number}&first=2023-07-01&last=2024-06-30"
    assert "all 1 decisions would have come out as they did" in words(enter("finance").get(address))
    nothing = f"{reverse('rules-simulator')}?rules=publication-{number}&first=2022-07-01&last=2022-07-02"
    assert "Nothing was decided in these days" in words(enter("finance").get(nothing))


def test_a_range_that_is_none_is_said_at_its_field(enter: Enter) -> None:
    number = Publication.objects.get().pk
    answer = enter("finance").get(
        f"{reverse('rules-simulator')}?rules=publication-{number}&first=2024-07-02&last=2024-07-01"
    )
    assert answer.status_code == 400
    assert "Choose a last day that is not before the first" in words(answer)
