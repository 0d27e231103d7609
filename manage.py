#!/usr/bin/env python
"""Door to every command of the project: `manage.py up`, `manage.py migrate`, `manage.py check_ledger`, ..."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named on the command line with the one settings file of the project."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coop.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
