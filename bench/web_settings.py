"""The product's settings with one address more: a view that says "ok", behind the same server and the same middleware."""

from coop.settings import *  # noqa: F403 - these are the settings

ROOT_URLCONF = "bench.web_urls"
