"""Celery, with sweeps in pieces of fifty funds that take their time, so that a test can kill one in the middle."""

from __future__ import annotations

import os
import sys
import time

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "coop.settings"

    from celery.__main__ import main

    from coop.celery import app

    app.loader.import_default_modules()

    from funds.operations import settlement

    settlement.CHUNK = 50
    wait = settlement._expire_funds

    def slowly(*args: object, **kwargs: object) -> object:
        time.sleep(0.02)
        return wait(*args, **kwargs)  # type: ignore[arg-type]

    settlement._expire_funds = slowly  # type: ignore[assignment]
    sys.exit(main())
