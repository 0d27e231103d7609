"""The form of one rule: its sentence, figures, days, scope and examples, read into a row of the catalog and back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w
from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from claims.rules.answers import WANTED
from claims.rules.book import DIMENSIONS
from claims.rules.catalog_file import ordered
from claims.rules.kinds import KINDS
from coop.lib.errors import Refused
from coop.lib.forms import DayField, add_refusal

PARAM = "param_"
SECTION_OF = {
    "programs": "programs",
    "activities": "activities",
    "categories": "categories",
    "country_classes": "country_classes",
}
SCOPE_LABELS = {
    "programs": "Programs",
    "activities": "Activities",
    "categories": "Categories",
    "country_classes": "Country classes",
    "countries": "Countries",
    "partners": "Partners",
}
# Parameter: how people call it, and what helps to fill it in.
PARAM_LABELS = {
    "any_of": ("Proofs that serve", "One a line: code | name | hint. Any one of them is enough."),
    "when": ("Asked for only if", "A question's code and the answer that asks for it, e.g. with-search = yes"),
    "percent": ("Percent", "Digits with at most two decimals, e.g. 25"),
    "amount": ("Amount", "Digits with a point before the decimals, e.g. 18750.00"),
    "currency": ("Currency of the amount", "Three capital letters, e.g. USD"),
    "over": ("Counted over", ""),
    "days_after_use": ("Days after the use period", ""),
    "at_most": ("At most", "How many people"),
    "at_least": ("At least", "How many parts"),
    "per_person": ("An amount a person", "The code of the answer that says how many people there are"),
    "unlimited": ("No limit", ""),
    "offered": ("Paid for", ""),
    "shares": ("Advised shares", "One a line: code = percent. They make 100 in all."),
    "tolerance": ("Points above a share that are not pointed out", ""),
    "by": ("Shares by", ""),
    "among": ("Among these activities", "Codes with commas between them"),
    "accepts": ("What shows the money", "invoice, csr"),
    "words": ("Words to point out", "With commas between them"),
    "kind": ("Kind of answer", ""),
    "required": ("Must be answered", ""),
    "inside_use": ("The day must lie in the use period", ""),
    "answer": ("The answer's code", ""),
    "code": ("Code", "Small letters, digits and hyphens"),
    "name": ("Name", ""),
    "hint": ("Hint", ""),
    "proof": ("The proof's code", ""),
}
CHOICES = {
    "answer": [(kind, f"{kind.replace('_', ' ').capitalize()}: {wanted}") for kind, wanted in WANTED.items()],
    "over": [("fund", "One fund"), ("program", "All funds of the program and period")],
    "guided": [("solution_area", "Solution area"), ("category", "Category")],
    "flag": [("yes", "Yes"), ("no", "No")],
}
LATER = ("example", "slot", "examples")
LISTS = ("activities", "texts", "codes", "line kinds")
LINES = ("proofs", "shares")


class RuleForm(forms.Form):
    """One rule. `kind` says which figures it has; `row` is what it says now."""

    sentence = forms.CharField(
        label="Sentence",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What people read: one plain sentence",
        error_messages={"required": "Write what people should read"},
    )
    first_day = DayField(
        label="From this day on",
        help_text="The version before ends on the day before",
        error_messages={"required": "Say from which day on it holds"},
    )
    last_day = DayField(label="Until", required=False, help_text="Leave it empty for no end")
    countries = forms.CharField(
        label="Countries", required=False, help_text="Codes with commas between them, e.g. DE, US"
    )
    partners = forms.CharField(
        label="Partners", required=False, help_text="Their ids in the program, with commas between them"
    )
    example = forms.BooleanField(label="This is an example: no source publishes it", required=False)
    slot = forms.CharField(
        label="Answers the same question as",
        required=False,
        max_length=120,
        help_text="The code of a rule. Of rules that answer one question the most specific one counts.",
    )
    examples = forms.CharField(
        label="Examples",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
        help_text="As in the catalog's file (TOML). Give one that passes, and one that must not.",
    )

    def __init__(
        self, *args: Any, kind: str, catalog: Mapping[str, Any], row: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        self.kind, self.row = kind, row or {}
        kwargs.setdefault("initial", self.said_now())
        super().__init__(*args, **kwargs)
        if row is None:
            self.fields["code"] = forms.CharField(
                label="Code",
                max_length=120,
                help_text=f"Begins with {kind}; parts with points between them, e.g. {kind}.telemarketing",
                error_messages={"required": "Give the rule a code"},
            )
        for name, what in KINDS[kind].params.items():
            self.fields[PARAM + name] = self.field_of(name, what, name not in KINDS[kind].optional)
        for dimension, section in SECTION_OF.items():
            choices = [(found["code"], name_of(found)) for found in catalog.get(section, ())]
            if section == "programs":
                choices += [(code, code) for code in catalog.get("other_programs", ())]
            self.fields[dimension] = forms.MultipleChoiceField(
                label=SCOPE_LABELS[dimension],
                choices=choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text="Nothing chosen means all",
            )
        self.order_fields(
            ["code", "sentence", *(PARAM + name for name in KINDS[kind].params), "first_day", "last_day", *SECTION_OF]
        )

    @property
    def said(self) -> list[BoundField]:
        """What the rule says and from when on."""
        return [self[name] for name in self.fields if name not in (*DIMENSIONS, *LATER)]

    @property
    def whom(self) -> list[BoundField]:
        """Whom it is for."""
        return [self[name] for name in (*SECTION_OF, "countries", "partners")]

    @property
    def is_for_some(self) -> bool:
        return any(field.value() or field.errors for field in self.whom)

    @property
    def later(self) -> list[BoundField]:
        return [self[name] for name in LATER]

    def field_of(self, name: str, what: str, required: bool) -> forms.Field:
        label, hint = PARAM_LABELS.get(name, (name.replace("_", " ").capitalize(), ""))
        options: dict[str, Any] = {"label": label, "help_text": hint, "required": required}
        if what in CHOICES:
            empty = [] if required else [("", "Not said")]
            return forms.ChoiceField(choices=[*empty, *CHOICES[what]], **options)
        if what in ("count", "positive"):
            return forms.IntegerField(min_value=1 if what == "positive" else 0, max_value=999_999, **options)
        if what in LINES:
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), **options)
        return forms.CharField(max_length=2_000, **options)

    def said_now(self) -> dict[str, Any]:
        """What the row says, as the form's fields have it."""
        row = self.row
        said: dict[str, Any] = {name: row.get(name, "") for name in ("sentence", "slot", "example")}
        said |= {dimension: row.get(dimension, []) for dimension in SECTION_OF}
        said |= {name: ", ".join(row.get(name, ())) for name in ("countries", "partners")}
        said["last_day"] = row.get("valid_to")
        if row.get("examples"):
            said["examples"] = tomli_w.dumps({"examples": ordered(row["examples"])})
        for name, what in KINDS[self.kind].params.items():
            if name in row.get("params", {}):
                said[PARAM + name] = as_text(row["params"][name], what)
        return said

    def clean_examples(self) -> list[dict[str, Any]]:
        try:
            read = tomllib.loads(self.cleaned_data["examples"])
        except tomllib.TOMLDecodeError as error:
            raise ValidationError(f"The examples cannot be read: {error}.") from None
        rows = read.get("examples", [])
        if set(read) - {"examples"} or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValidationError("Begin each example with a line [[examples]].")
        return rows

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        for name, what in KINDS[self.kind].params.items():
            field = PARAM + name
            if said.get(field) not in (None, ""):
                try:
                    said[field] = as_param(said[field], what)
                except ValueError as error:
                    self.add_error(field, str(error))
        return said

    def read(self) -> dict[str, Any]:
        """The row of the catalog that the form describes, without its version. Call it on a valid form."""
        said = self.cleaned_data
        scope = {name: said[name] for name in SECTION_OF} | {
            name: listed(said[name]) for name in ("countries", "partners")
        }
        params = {
            name: said[PARAM + name] for name in KINDS[self.kind].params if said.get(PARAM + name) not in (None, "")
        }
        row = {
            "code": self.row.get("code") or said["code"].strip(),
            "sentence": said["sentence"].strip(),
            "valid_from": said["first_day"].isoformat(),
            "valid_to": said["last_day"].isoformat() if said["last_day"] else None,
            "slot": said["slot"].strip(),
            "example": said["example"],
            "params": params,
            "examples": said["examples"],
            **{dimension: scope[dimension] for dimension in DIMENSIONS},
        }
        return {name: value for name, value in row.items() if value not in (None, "", [], {}, False)}

    def refuse(self, refusal: Refused) -> None:
        """Show what an operation refused at the fields that it is about."""
        places = {"valid_from": "first_day", "valid_to": "last_day"}
        for error in refusal.errors:
            top, _, rest = error.field.partition(".")
            name = PARAM + rest.partition(".")[0] if top == "params" else top
            places.setdefault(error.field, places.get(top, name))
        add_refusal(self, refusal, places)


def name_of(row: Mapping[str, Any]) -> str:
    return str(row.get("name") or (row["names"][-1]["name"] if row.get("names") else row["code"]))


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def as_text(value: Any, what: str) -> Any:
    """A parameter as its field shows it."""
    if what == "flag":
        return "yes" if value else "no"
    if what == "proofs":
        return "\n".join(" | ".join(filter(None, (row["code"], row["name"], row.get("hint")))) for row in value)
    if what == "condition":
        return f"{value['answer']} = {value['is']}"
    if what == "shares":
        return "\n".join(f"{code} = {share}" for code, share in value.items())
    return ", ".join(value) if what in LISTS else value


def as_param(value: Any, what: str) -> Any:
    """What was written in a parameter's field, as the catalog has it. Raises ValueError with what is wanted."""
    if what == "flag":
        return value == "yes"
    if what == "proofs":
        return [proof(line) for line in value.splitlines() if line.strip()]
    if what == "condition":
        answer, equal, wanted = (part.strip() for part in value.partition("="))
        if not (answer and equal and wanted):
            raise ValueError("Write a question's code and its answer with = between them, e.g. with-search = yes.")
        return {"answer": answer, "is": wanted}
    if what == "shares":
        pairs = [line.partition("=") for line in value.splitlines() if line.strip()]
        if not all(code.strip() and share.strip() for code, _, share in pairs):
            raise ValueError("Write one share a line: a code, =, and a percentage.")
        return {code.strip(): share.strip() for code, _, share in pairs}
    return listed(value) if what in LISTS else value.strip() if isinstance(value, str) else value


def proof(line: str) -> dict[str, str]:
    code, name, hint = ([part.strip() for part in line.split("|", 2)] + ["", ""])[:3]
    if not (code and name):
        raise ValueError(f"“{line.strip()[:60]}” is no proof. Write its code, | and its name; then | and a hint.")
    return {"code": code, "name": name} | ({"hint": hint} if hint else {})
