#!/usr/bin/env python
"""Door to every command of the project: `manage.py up`, `manage.py migrate`, `manage.py check_ledger`, ..."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named on the command line with the one settings file of the project."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coop.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # says in a sentence which variable is missing
        sys.exit(str(error))


if __name__ == "__main__":
    main()
