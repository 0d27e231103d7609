from django.apps import AppConfig


class CoopConfig(AppConfig):
    name = "coop"
    label = "coop"
