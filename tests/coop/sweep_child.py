"""A process of its own that expires a period, three funds at a time and slowly, so that a test can kill it in the middle.

Called with the name of the test's database and the period's id.
"""

from __future__ import annotations

import os
import sys
import time

import django
from django.conf import settings

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "coop.settings"
    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    django.setup()

    from coop.lib import clock
    from funds.operations import settlement

    settlement.CHUNK = 3
    walk = settlement._expire_funds

    def slowly(*args: object, **kwargs: object) -> object:
        swept = walk(*args, **kwargs)  # type: ignore[arg-type]
        print("chunk", flush=True)
        time.sleep(0.3)
        return swept

    settlement._expire_funds = slowly  # type: ignore[assignment]
    settlement.expire_period(int(sys.argv[2]), at=clock.now())
