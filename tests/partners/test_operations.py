"""Adding and changing partners, locations, people and keys: who may, what is refused, and what is never kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import DatabaseError, connection, transaction

from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, NotFound, Stale
from funds.operations.enrollments import enroll, update_enrollment
from partners.models import ApiKey, Event, Person
from partners.operations import (
    create_api_key,
    create_location,
    create_partner,
    create_person,
    deactivate_person,
    digest_of,
    update_person,
)
from partners.permissions import require_role
from partners.states import ROLES, SCOPES
from tests import factories as make

pytestmark = pytest.mark.django_db

GOOD: dict[str, Any] = {"email": "mia@northwind.example", "name": "Mia", "role": "marketer"}


def given(by: Person | None = None) -> dict[str, Any]:
    return {"by": by, "at": clock.now()}


@pytest.mark.parametrize("role", ROLES)
def test_a_refusal_by_role_names_the_role_and_whom_to_ask(role: str) -> None:
    person = Person(role=role)
    with pytest.raises(NotAllowed) as caught:
        require_role(person, *({"finance", "auditor"} - {role}), to="pay")
    sentence = caught.value.message
    assert sentence.startswith(f"Your role is {ROLES[role].lower()}. To pay, ask somebody whose role is ")
    require_role(person, role, to="pay")
    person.is_active = False
    with pytest.raises(NotAllowed):
        require_role(person, role, to="pay")


def test_only_the_vendors_office_adds_partners_and_locations() -> None:
    partner = make.make_partner()
    others = [make.vendor("manager"), make.vendor("auditor"), make.make_person(partner, "partner_admin")]
    for person in others:
        with pytest.raises(NotAllowed):
            create_partner(external_id="P9", name="X", country="US", **given(person))
        with pytest.raises(NotAllowed):
            create_location(partner_id=partner.id, external_id="L9", name="X", country="US", **given(person))
    for who in ("program", "finance"):
        create_partner(external_id=f"P-{who}", name="X", country="US", **given(make.vendor(who)))


def test_an_external_id_is_used_once() -> None:
    location = make.make_location(make.make_partner(external_id="P1"), external_id="L1")
    with pytest.raises(Invalid) as caught:
        make.make_partner(external_id="P1")
    assert [(error.field, error.code) for error in caught.value.errors] == [("external_id", "taken")]
    with pytest.raises(Invalid, match="L1"):
        make.make_location(location.partner, external_id="L1")
    with pytest.raises(Invalid, match="no such partner"):
        create_location(partner_id=10**9, external_id="L2", name="X", country="US", **given())


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"email": "mia"}, {("email", "invalid")}),
        ({"email": "a@b.example\nBcc: c@d.example"}, {("email", "invalid")}),
        ({"email": "taken@vendor.example"}, {("email", "taken")}),
        ({"email": " TAKEN@vendor.example "}, {("email", "taken")}),
        ({"role": "king"}, {("role", "invalid")}),
        ({"title": "duke"}, {("title", "invalid")}),
        ({"partner_id": None}, {("partner", "required")}),
        ({"partner_id": 10**9}, {("partner", "not_found")}),
        ({"role": "finance"}, {("partner", "invalid")}),
        ({"portfolio": [10**9]}, {("portfolio", "invalid")}),
        (
            {"email": "x", "role": "king", "title": "duke"},
            {("email", "invalid"), ("role", "invalid"), ("title", "invalid")},
        ),
    ],
)
def test_all_that_is_wrong_with_a_new_person_comes_together(
    change: dict[str, Any], faults: set[tuple[str, str]]
) -> None:
    make.make_person(role="auditor", email="taken@vendor.example")
    partner = make.make_partner()
    with pytest.raises(Invalid) as caught:
        create_person(**{**GOOD, "partner_id": partner.id, **change}, **given())
    assert {(error.field, error.code) for error in caught.value.errors} == faults
    assert not Person.objects.filter(name="Mia").exists()


def test_a_partner_admin_adds_people_of_the_own_organisation_only() -> None:
    ours, theirs = make.make_partner(), make.make_partner("Contoso")
    admin = make.make_person(ours, "partner_admin")
    assert create_person(**GOOD, partner_id=ours.id, **given(admin)).partner == ours
    for change in ({"partner_id": theirs.id}, {"partner_id": None, "role": "finance"}):
        with pytest.raises(NotAllowed):
            create_person(**{**GOOD, "email": "eve@northwind.example", **change}, **given(admin))
    with pytest.raises(NotAllowed):
        create_person(**GOOD, partner_id=ours.id, **given(make.make_person(ours)))


def test_names_change_but_never_roles_organisations_or_passwords() -> None:
    partner = make.make_partner()
    person, admin = make.make_person(partner), make.vendor()
    changed = update_person(person.id, {"name": "Mia"}, revision=1, **given(admin))
    assert (changed.name, changed.revision) == ("Mia", 2)
    with pytest.raises(Stale):
        update_person(person.id, {"name": "Eve"}, revision=1, **given(admin))
    for change in ({"role": "finance"}, {"partner_id": None}, {"password": "x"}, {"is_active": False}, {"email": "x"}):
        with pytest.raises(Invalid) as caught:
            update_person(person.id, change, **given(admin))
        assert [error.code for error in caught.value.errors] == ["unknown_field"]
    with pytest.raises(Invalid, match="portfolio"):
        update_person(person.id, {"portfolio": None}, **given(admin))
    with pytest.raises(NotFound):
        update_person(person.id, {"name": "Eve"}, **given(make.make_person(make.make_partner(), "partner_admin")))


def test_who_is_deactivated_loses_keys_at_once_and_nobody_deactivates_themselves() -> None:
    person, admin = make.make_person(make.make_partner()), make.vendor()
    create_api_key(person_id=person.id, **given(person))
    deactivate_person(person.id, **given(admin))
    assert not Person.objects.get(id=person.id).is_active
    assert ApiKey.objects.get().revoked_at is not None
    with pytest.raises(NotAllowed, match="yourself"):
        deactivate_person(admin.id, **given(admin))


def test_a_key_is_shown_once_and_only_its_hash_is_kept() -> None:
    person = make.vendor("finance")
    key, secret = create_api_key(person_id=person.id, scopes=["funds:read"], **given(person))
    assert secret.startswith("coop_")
    assert len(secret) > 45
    assert bytes(key.digest) == digest_of(secret)
    with connection.cursor() as cursor:  # nowhere in the database, not in the event either
        for table in ("partners_apikey", "partners_event", "partners_person"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{secret[9:]}%"])
            assert cursor.fetchone() == (0,)
    assert create_api_key(person_id=person.id, **given(person))[0].scopes == list(SCOPES)
    with pytest.raises(Invalid, match="no scope everything"):
        create_api_key(person_id=person.id, scopes=["everything"], **given(person))
    with pytest.raises(NotAllowed):
        create_api_key(person_id=person.id, **given(make.vendor()))


def test_a_password_is_hashed() -> None:
    person = make.make_person(role="auditor", password="a long enough secret")
    assert "secret" not in person.password
    assert check_password("a long enough secret", person.password)
    assert not make.make_person(role="auditor").has_usable_password()


def test_an_event_is_written_with_its_change_and_vanishes_with_it() -> None:
    make.vendor()
    before = Event.objects.count()
    with pytest.raises(Invalid):
        make.make_person(role="king")
    with transaction.atomic():
        make.make_partner()
        transaction.set_rollback(True)
    assert Event.objects.count() == before
    partner = make.make_partner()
    event = Event.objects.about("partner", partner.id).get()
    assert (event.verb, event.partner_id, event.acting_as, event.actor) == (
        "partner.created",
        partner.id,
        "program_admin",
        make.vendor(),
    )


def test_the_database_refuses_people_who_are_neither_side() -> None:
    partner = make.make_partner()
    person, auditor = make.make_person(partner), make.vendor("auditor")
    for values, wall in (
        ({"role": "finance"}, "person_of_a_partner_has_a_partner_role"),
        ({"partner": None}, "person_of_a_partner_has_a_partner_role"),
        ({"role": "king"}, "person_"),
        ({"email": "Mia@northwind.example"}, "person_email_is_lower_case"),
        ({"sees_every_partner": True}, "only_channel_managers_have_portfolios"),
    ):
        with pytest.raises(DatabaseError, match=wall), transaction.atomic():
            Person.objects.filter(id=person.id).update(**values)
    with pytest.raises(DatabaseError, match="person_of_a_partner"), transaction.atomic():
        Person.objects.filter(id=auditor.id).update(partner=partner)


# --- Enrollments ------------------------------------------------------------------------------------------------------


def test_a_location_is_enrolled_once_at_a_time_also_when_an_enrollment_is_prolonged() -> None:
    location = make.make_location()
    first = make.make_enrollment(location, starts_on=date(2023, 1, 1), ends_on=date(2023, 6, 30))
    make.make_enrollment(location, starts_on=date(2023, 7, 1))
    with pytest.raises(Invalid, match="already enrolled") as caught:
        make.make_enrollment(location, starts_on=date(2023, 6, 30), ends_on=date(2023, 6, 30))
    assert caught.value.errors[0].code == "overlaps"
    with pytest.raises(Invalid, match="already enrolled"):
        update_enrollment(first.id, {"ends_on": date(2023, 7, 1)}, **given(make.vendor()))
    with pytest.raises(Invalid, match="cannot end before"):
        update_enrollment(first.id, {"ends_on": date(2022, 12, 31)}, **given(make.vendor()))
    with pytest.raises(Invalid) as caught:
        update_enrollment(first.id, {"partner_id": 5, "starts_on": date(2020, 1, 1)}, **given(make.vendor()))
    assert {error.code for error in caught.value.errors} == {"unknown_field"}


def test_enrolling_names_all_that_is_unknown() -> None:
    with pytest.raises(Invalid) as caught:
        enroll(
            location_id=10**9,
            program_code="nothing",
            starts_on=date(2023, 1, 1),
            ends_on=date(2022, 1, 1),
            **given(make.vendor()),
        )
    assert {error.field for error in caught.value.errors} == {"location", "program", "ends_on"}
