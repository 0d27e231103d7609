"""Mails to people about their own account."""

from __future__ import annotations

from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest

from partners.models import Person


def mail_first_password(person: Person, request: HttpRequest) -> bool:
    """Send somebody who has no password yet the mail by which one sets it; says whether it was sent."""
    if person.has_usable_password():
        return False
    mail = ResetPasswordForm({"email": person.email})
    if not mail.is_valid():
        return False
    mail.save(request)
    return True
