"""The only writers of people, partners, locations and keys."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from coop.lib.errors import FieldError, Invalid, NotAllowed, NotFound, check_revision, require_fields
from coop.lib.text import COUNTRY
from partners import events, states
from partners.accounts import read_account
from partners.delegating import delegate as delegate  # noqa: PLC0414 - one place to reach every writer
from partners.delegating import end_delegation as end_delegation  # noqa: PLC0414
from partners.models import ApiKey, Location, Partner, PayoutAccount, Person
from partners.permissions import require_role

KEY_PREFIX = "coop_"
MASTER_DATA = (states.PROGRAM_ADMIN, states.FINANCE)


@transaction.atomic
def create_partner(*, external_id: str, name: str, country: str, by: Person | None, at: datetime) -> Partner:
    """Add a partner organisation. `by` None is the system itself. Raises NotAllowed, Invalid (taken external id)."""
    if by:
        require_role(by, *MASTER_DATA, to="add partners")
    taken = Partner.objects.filter(external_id=external_id).exists()
    require_organisation(external_id, name, country, taken="partner" if taken else "")
    partner = Partner.objects.create(external_id=external_id, name=name, country=country, created_at=at)
    events.record("partner.created", partner, by=by, at=at, partner_id=partner.id, name=name)
    return partner


def require_organisation(external_id: str, name: str, country: str, *, taken: str) -> None:
    """Refuse what cannot name a partner or a location, all faults at once; `taken` says what has the id already.

    Raises Invalid.
    """
    errors = []
    if not external_id.strip():
        errors.append(FieldError("external_id", "required", "Give the id by which your own systems know it."))
    if taken:
        errors.append(
            FieldError("external_id", "taken", f"There is already a {taken} with the external id {external_id}.")
        )
    if not name.strip():
        errors.append(FieldError("name", "required", "Give its name."))
    if not COUNTRY.fullmatch(country):
        errors.append(
            FieldError("country", "invalid", f"“{country[:10]}” is not the code of a country, for example US.")
        )
    if errors:
        raise Invalid(errors=errors)


@transaction.atomic
def create_location(
    *, partner_id: int, external_id: str, name: str, country: str, by: Person | None, at: datetime
) -> Location:
    """Add a site of a partner. Raises NotAllowed, Invalid (unknown partner, taken external id)."""
    if by:
        require_role(by, *MASTER_DATA, to="add locations")
    if not Partner.objects.filter(id=partner_id).exists():
        raise Invalid.field("partner", "There is no such partner.", "not_found")
    taken = Location.objects.filter(external_id=external_id).exists()
    require_organisation(external_id, name, country, taken="location" if taken else "")
    location = Location.objects.create(
        partner_id=partner_id, external_id=external_id, name=name, country=country, created_at=at
    )
    events.record("location.created", location, by=by, at=at, name=name)
    return location


@transaction.atomic
def create_person(
    *,
    email: str,
    name: str,
    role: str,
    title: str = "",
    partner_id: int | None = None,
    portfolio: Sequence[int] | None = None,
    password: str | None = None,
    encoded_password: str = "",
    by: Person | None,
    at: datetime,
) -> Person:
    """Add somebody who may sign in. `portfolio` is for channel managers: ids of partners, or None for every partner.

    Without a password the person sets one by the reset mail. `encoded_password` is a password that was hashed before:
    hashing is slow on purpose, and a sandbox has many people with one password that everybody knows.
    A partner admin adds people of the own organisation only. Raises NotAllowed, Invalid with all faults at once.
    """
    email = email.strip().lower()
    if by:
        require_role(by, states.PROGRAM_ADMIN, states.PARTNER_ADMIN, to="add people")
        if by.role == states.PARTNER_ADMIN and (partner_id != by.partner_id or role not in states.PARTNER_ROLES):
            raise NotAllowed("You may add people of your own organisation only, in the roles of partners.")
    require_person(email, role, title, partner_id, portfolio)
    person = Person(
        email=email,
        name=name,
        role=role,
        title=title,
        partner_id=partner_id,
        sees_every_partner=role == states.CHANNEL_MANAGER and portfolio is None,
        created_at=at,
    )
    if encoded_password:
        person.password = encoded_password
    else:
        person.set_password(password)
    person.save()
    if role == states.CHANNEL_MANAGER and portfolio is not None:
        person.portfolio.set(portfolio)
    events.record("person.created", person, by=by, at=at, role=role, vendor_only=partner_id is None)
    return person


@transaction.atomic
def create_guest(*, email: str, name: str, partner_id: int, by: Person, at: datetime) -> Person:
    """Add an agency's guest of one's own organisation, who sets a password by the reset mail. Raises NotAllowed, Invalid."""
    require_role(by, states.MARKETER, states.PARTNER_ADMIN, to="add an agency's guest")
    if by.partner_id != partner_id:
        raise NotAllowed("You may add guests of your own organisation only.")
    require_person(email, states.AGENCY, "", partner_id, None)
    guest = Person(email=email, name=name, role=states.AGENCY, partner_id=partner_id, created_at=at)
    guest.set_unusable_password()
    guest.save()
    events.record("person.created", guest, by=by, at=at, role=states.AGENCY)
    return guest


def require_person(email: str, role: str, title: str, partner_id: int | None, portfolio: Sequence[int] | None) -> None:
    errors = []
    try:
        validate_email(email)
    except ValidationError:
        errors.append(FieldError("email", "invalid", f"“{email[:80]}” is not an e-mail address."))
    if Person.objects.filter(email=email).exists():
        errors.append(FieldError("email", "taken", "Somebody with this e-mail address is already here."))
    if role not in states.ROLES:
        errors.append(
            FieldError("role", "invalid", f"“{role[:40]}” is not a role. Use one of: {', '.join(states.ROLES)}.")
        )
    if title and title not in states.TITLES:
        errors.append(
            FieldError("title", "invalid", f"“{title[:40]}” is not a title. Use one of: {', '.join(states.TITLES)}.")
        )
    if role in states.PARTNER_ROLES and partner_id is None:
        errors.append(FieldError("partner", "required", "Say of which partner: this role is on the partner's side."))
    if role in states.VENDOR_ROLES and partner_id is not None:
        errors.append(FieldError("partner", "invalid", "People of the vendor belong to no partner. Leave it out."))
    if partner_id is not None and not Partner.objects.filter(id=partner_id).exists():
        errors.append(FieldError("partner", "not_found", "There is no such partner."))
    if portfolio and role != states.CHANNEL_MANAGER:
        errors.append(FieldError("portfolio", "invalid", "Only channel managers have a portfolio."))
    elif portfolio and Partner.objects.filter(id__in=portfolio).count() != len(set(portfolio)):
        errors.append(FieldError("portfolio", "not_found", "At least one of these partners does not exist."))
    if errors:
        raise Invalid(errors=errors)


@transaction.atomic
def update_person(
    person_id: int, changes: Mapping[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> Person:
    """Change a person's name, title or portfolio. Roles and organisations are not changed: add a new person instead."""
    person = lock_person(person_id, by=by, revision=revision, to="change people")
    changes = dict(changes)
    portfolio = changes.pop("portfolio", ...)
    if portfolio is not ...:
        _set_portfolio(person, portfolio, by=by, at=at)
    require_fields(changes, ("name", "title"), "A person")
    for name, value in changes.items():
        setattr(person, name, value)
    person.revision += 1
    person.save()
    events.record("person.changed", person, by=by, at=at, vendor_only=person.partner_id is None)
    return person


@transaction.atomic
def set_portfolio(
    person_id: int,
    partner_ids: Iterable[int] | None,
    *,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Person:
    """Say which partners a channel manager looks after; None for every partner, those of tomorrow too.

    Raises NotFound, NotAllowed, Stale, Invalid (another role, unknown partners).
    """
    person = lock_person(person_id, by=by, revision=revision, to="assign portfolios")
    _set_portfolio(person, None if partner_ids is None else list(partner_ids), by=by, at=at)
    person.revision += 1
    person.save()
    return person


def _set_portfolio(person: Person, portfolio: Sequence[int] | None, *, by: Person, at: datetime) -> None:
    if person.role != states.CHANNEL_MANAGER:
        raise Invalid.field("portfolio", "Only channel managers have a portfolio.")
    require_partners(portfolio or [])
    before = set(person.portfolio.values_list("id", flat=True))
    person.sees_every_partner = portfolio is None
    person.portfolio.set(portfolio or [])
    after = set(portfolio or [])
    events.record(
        "person.portfolio_set",
        person,
        by=by,
        at=at,
        vendor_only=True,
        every=portfolio is None,
        added=[str(partner) for partner in sorted(after - before)],
        removed=[str(partner) for partner in sorted(before - after)],
    )


def require_partners(portfolio: Sequence[int]) -> None:
    """Refuse a portfolio that names a partner that is not there. Raises Invalid."""
    if Partner.objects.filter(id__in=portfolio).count() != len(set(portfolio)):
        raise Invalid.field("portfolio", "At least one of these partners does not exist.", "not_found")


@transaction.atomic
def deactivate_person(person_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Person:
    """Take away a person's access at once: sessions and keys stop working. Nobody deactivates themselves."""
    person = lock_person(person_id, by=by, revision=revision, to="deactivate people")
    if person.id == by.id:
        raise NotAllowed("You cannot deactivate yourself. Ask a colleague with the same role.")
    person.is_active = False
    person.revision += 1
    person.save()
    person.api_keys.filter(revoked_at__isnull=True).update(revoked_at=at)
    events.record("person.deactivated", person, by=by, at=at, vendor_only=person.partner_id is None)
    return person


def lock_person(person_id: int, *, by: Person, revision: int | None, to: str) -> Person:
    person: Person | None = Person.objects.visible_to(by).select_for_update(of=("self",)).filter(id=person_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    require_role(by, states.PROGRAM_ADMIN, states.PARTNER_ADMIN, to=to)
    if by.role == states.PARTNER_ADMIN and person.partner_id != by.partner_id:
        raise NotFound("There is no such person.")
    check_revision(revision, person.revision)
    return person


# --- Payout account ---------------------------------------------------------------------------------------------------


@transaction.atomic
def set_payout_account(
    partner_id: int, given: Mapping[str, str], *, revision: int | None = None, by: Person, at: datetime
) -> PayoutAccount:
    """Say where a partner's money goes; replaces what was there. The event names the fields, never a number.

    Payments of runs that were approved before keep the account that they were approved with.
    Raises NotFound, NotAllowed, Stale, Invalid with all faults.
    """
    if not Partner.objects.visible_to(by).select_for_update().filter(id=partner_id).exists():
        raise NotFound("There is no such partner.")
    require_role(by, states.PARTNER_ADMIN, to="change where money is paid")
    known = PayoutAccount.objects.filter(partner_id=partner_id).first()
    check_revision(revision, known.revision if known else 0)
    values = read_account(given)
    changed = sorted(name for name, value in values.items() if value != getattr(known, name, ""))
    if known and not changed:
        return known
    account = known or PayoutAccount(partner_id=partner_id, revision=0)
    for name, value in values.items():
        setattr(account, name, value)
    account.updated_by, account.updated_at = by, at
    account.revision += 1
    account.save()
    verb = "payout_account.changed" if known else "payout_account.added"
    events.record(verb, account, by=by, at=at, fields=changed)
    return account


# --- Keys -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_api_key(
    *,
    person_id: int,
    scopes: Iterable[str] | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    by: Person | None,
    at: datetime,
) -> tuple[ApiKey, str]:
    """Make a key for a person; returns it with its secret, which is shown this once and stored as a hash only.

    Without scopes it may do whatever its owner may. Raises Invalid for an unknown scope, NotAllowed.
    """
    person = Person.objects.get(id=person_id)
    if by and by.id != person.id:
        raise NotAllowed("People make keys for themselves only.")
    chosen = list(scopes) if scopes is not None else list(states.SCOPES)
    unknown = [scope for scope in chosen if scope not in states.SCOPES]
    if unknown:
        raise Invalid.field(
            "scopes", f"There is no scope {', '.join(unknown)}. Scopes are: {', '.join(states.SCOPES)}."
        )
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        person=person,
        name=name,
        prefix=secret[: len(KEY_PREFIX) + 4],
        digest=digest_of(secret),
        scopes=chosen,
        expires_at=expires_at,
        created_at=at,
    )
    events.record("api_key.created", key, by=by, at=at, partner_id=person.partner_id, owner=person.email, scopes=chosen)
    return key, secret


def digest_of(secret: str) -> bytes:
    """What is stored of a key. A plain SHA-256 is enough: the secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
