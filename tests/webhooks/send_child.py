"""A sender that is killed between the call and the mark: it kills itself with signal 9 when the address has answered."""

from __future__ import annotations

import os
import signal
import ssl

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "coop.settings"
    django.setup()

    from coop.lib import clock
    from partners.hooks.calling import Order, Outcome, call
    from partners.hooks.sending import send_deliveries

    def call_and_die(order: Order) -> Outcome:
        outcome = call(order, ssl.create_default_context())
        os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    send_deliveries(at=clock.now(), make_call=call_and_die)
