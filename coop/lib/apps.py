from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "coop.lib"
    label = "lib"
