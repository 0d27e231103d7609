"""What somebody wrote in a form and could not be saved yet is kept in the session, page by page, and back in its form later.

Two ways lead here. A form comes after its session ended: its words wait while their writer signs in. Or a form is saved as
it is written, and a part of it cannot be stored (text in the place of a day): that part waits for its writer to come back.
Files are not kept. A form says in its field `writer` whose words it holds; nobody else gets them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect

KEY = "kept"
MOST_PAGES = 5
MOST_LETTERS = 20_000
NOT_WORDS = ("csrfmiddlewaretoken", "writer", "revision")
ENDED = "Your session ended. Press save: you can sign in, and your words are kept."


def is_autosave(request: HttpRequest) -> bool:
    """Whether the form was sent by the script that saves while people write."""
    return request.headers.get("X-Autosave") == "1"


def keep(request: HttpRequest, data: QueryDict, names: Mapping[str, Any] | None = None) -> None:
    """Keep the words of a form for this page: all of them, or those of some fields."""
    words = {
        name: values for name, values in data.lists() if name not in NOT_WORDS and (names is None or name in names)
    }
    writer = data.get("writer", "")
    letters = sum(len(text) for values in words.values() for text in values)
    if not 0 < letters <= MOST_LETTERS or not writer.isdigit():
        return
    known = {**request.session.get(KEY, {})}
    known.pop(page_of(request), None)
    # A whole form keeps the reading that it was made on; of one that is saved in part the rest belongs to what is saved now.
    revision = data.get("revision") if names is None else None
    entry = {"writer": writer, "words": words, "whole": names is None, "revision": revision}
    request.session[KEY] = dict([*known.items(), (page_of(request), entry)][-MOST_PAGES:])


def forget(request: HttpRequest) -> None:
    """Drop what was kept for this page: it is saved now."""
    known = request.session.get(KEY, {})
    if page_of(request) in known:
        request.session[KEY] = {page: kept for page, kept in known.items() if page != page_of(request)}


def page_of(request: HttpRequest) -> str:
    return request.get_full_path()


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """What the reader wrote on this page before and did not save, or None."""
    found: dict[str, Any] | None = request.session.get(KEY, {}).get(page_of(request))
    person: Any = request.user
    return found if found is not None and found["writer"] == str(person.pk) else None


def written(request: HttpRequest, empty: Callable[[], forms.Form]) -> QueryDict | None:
    """The data to show a form with: what was sent now, or what was kept on top of what is saved; None for neither.

    `empty` makes the form as it is without them.
    """
    if request.method == "POST":
        return request.POST
    found = kept(request)
    if found is None:
        return None
    form = empty()
    data = QueryDict(mutable=True)
    data["revision"] = str(form.initial.get("revision", ""))
    for name in form.fields if not found["whole"] else ():
        data.setlist(form.add_prefix(name), texts_of(form[name].value()))
    for name, values in found["words"].items():
        data.setlist(name, values)
    if found["revision"]:
        data["revision"] = found["revision"]
    return data


def texts_of(value: Any) -> list[str]:
    """A field's value as a browser would send it."""
    if value is None or value is False:
        return []
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return ["on" if value is True else str(value)]


def keeps_words(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """As `login_required`, for pages with a form: what is sent after the session ended is kept while its writer signs in."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        person: Any = request.user
        if person.is_authenticated and request.method == "POST" and "discard" in request.POST:
            forget(request)
            return redirect(page_of(request))
        if person.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method == "POST" and is_autosave(request):
            return not_saved(ENDED, status=401)
        if request.method == "POST":
            keep(request, request.POST)
        return redirect_to_login(page_of(request))

    return answer


def not_saved(message: str, *, status: int) -> HttpResponse:
    """What the saving script shows beside the button when nothing was saved."""
    return JsonResponse({"message": message}, status=status)
