"""The template filters of the components, and what the includes make of them."""

from django import forms
from django.template.loader import render_to_string

from coop.lib.templatetags import components


class CostForm(forms.Form):
    amount = forms.CharField(label="Net amount", help_text="Without tax")
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    document = forms.FileField(label="Invoice file", help_text="PDF")


def test_the_parts_of_a_bar_stand_side_by_side_and_fill_it() -> None:
    parts = [
        {"key": "paid", "label": "Paid", "minor": 2500},
        {"key": "expired", "label": "Expired", "minor": 0},
        {"key": "available", "label": "Available", "minor": 7500},
    ]
    placed = components.stacked(parts)
    assert [(part["key"], part["start"], part["share"]) for part in placed] == [
        ("paid", "0.000%", "25.000%"),
        ("available", "25.000%", "75.000%"),
    ]


def test_a_fund_without_money_and_one_in_debt_have_an_empty_bar() -> None:
    assert components.stacked([]) == []
    assert components.stacked([{"key": "available", "label": "Available", "minor": -880}]) == []


def test_an_error_summary_links_each_error_to_its_control() -> None:
    html = render_to_string("_components/error_summary.html", {"form": CostForm({})})
    assert 'role="alert"' in html
    for control in ("#id_amount", "#id_kind_0", "#id_document"):
        assert f'href="{control}"' in html


def test_an_accepted_form_has_no_error_summary() -> None:
    form = CostForm({"amount": "1", "kind": "a"}, {"document": None})
    del form.fields["document"]
    assert render_to_string("_components/error_summary.html", {"form": form}).strip() == ""


def test_every_control_is_described_by_its_hint_and_its_error() -> None:
    form = CostForm({})
    for name in ("amount", "document"):
        html = render_to_string("_components/field.html", {"field": form[name]})
        assert f'aria-describedby="id_{name}_helptext id_{name}_error"' in html
        assert f'id="id_{name}_helptext"' in html
        assert f'id="id_{name}_error"' in html


def test_findings_that_passed_are_folded_away_behind_those_to_fix() -> None:
    findings = [
        {"outcome": "passed", "text": "The claim is inside its window"},
        {"outcome": "failed", "text": "The call log is missing", "fix": "Add it", "field": "document"},
    ]
    html = render_to_string("_components/findings.html", {"findings": findings, "on_page": True})
    assert html.index("The call log is missing") < html.index("1 check passed") < html.index("inside its window")
    assert 'href="#id_document"' in html


def test_text_of_people_is_escaped_in_every_component_that_shows_it() -> None:
    evil = "<script>alert(1)</script>"
    events = [{"who": evil, "what": evil, "when": "now", "note": evil}]
    rows = [{"key": evil, "value": evil}]
    for name, context in (
        ("timeline", {"events": events}),
        ("facts", {"rows": rows}),
        ("files", {"files": [{"name": evil, "size": "1 KB"}]}),
        ("status", {"text": evil}),
        ("findings", {"findings": [{"outcome": "failed", "text": evil, "seen": evil, "fix": evil}]}),
    ):
        html = render_to_string(f"_components/{name}.html", context)
        assert "<script" not in html, name
        assert "&lt;script" in html, name


def test_the_sandbox_strip_is_there_in_a_sandbox_only() -> None:
    shown = render_to_string(
        "_components/sandbox.html", {"sandbox": {"now": "1 Mar 2024, 00:00:00 UTC", "url": "/clock/"}}
    )
    assert "1 Mar 2024, 00:00:00 UTC" in shown
    assert render_to_string("_components/sandbox.html", {"sandbox": None}).strip() == ""


def test_an_amount_reads_the_same_in_one_text_and_in_two() -> None:
    together = render_to_string("_components/amount.html", {"amount": "-4,200.00 USD"})
    apart = render_to_string("_components/amount.html", {"amount": "-4,200.00", "currency": "USD"})
    assert together == apart
    assert "-4,200.00<span" in together
    assert "currency" not in render_to_string("_components/amount.html", {"amount": 14})
