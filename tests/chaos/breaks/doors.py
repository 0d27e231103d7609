"""Guards at the API's door."""

# ruff: noqa: PLC0415
from __future__ import annotations

import threading
import time
from typing import Any


def no_idempotency() -> None:
    """A key is not looked up: an act that is sent again is done again."""
    from coop.lib.api import idempotency

    idempotency.begin = lambda attempt: None  # type: ignore[assignment]
    idempotency.keep = lambda attempt, response: None  # type: ignore[assignment]


def ack_early() -> None:
    """A claim's sending is answered first and done a moment later, as with a queue of which nothing is kept."""
    from django.db import connection

    from coop.lib.api.views import ApiViewSet, DryRun

    write = ApiViewSet.write

    def later(view: Any, handler: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(2.0)
        write(view, handler, request, *args, **kwargs)
        connection.close()

    def early(view: Any, handler: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if view.action != "submit":
            return write(view, handler, request, *args, **kwargs)
        from django.db import transaction

        try:
            with transaction.atomic():
                response = handler(request, *args, **kwargs)
                raise DryRun(response)
        except DryRun as tried:
            threading.Thread(target=later, args=(view, handler, request, *args), kwargs=kwargs).start()
            return tried.response
        except Exception as error:  # noqa: BLE001
            return view.handle_exception(error)

    ApiViewSet.write = early  # type: ignore[method-assign]


def decide_twice() -> None:
    """A verb does not ask which status the claim is in, so what was decided is decided once more."""
    from claims import states
    from claims.operations import review, sending

    def next_status(record: Any, verb: str, *, by: Any) -> str:
        table = states.PLANS if type(record).__name__ == "Plan" else states.CLAIMS
        return next(iter(table[verb].values()))

    review.next_status = sending.next_status = next_status  # type: ignore[assignment]
