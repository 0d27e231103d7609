"""Proof by destruction: the real stack under load while its parts are killed, and an auditor who proves what was promised.

`make chaos` runs it (__main__.py); docs/reliability.md says what it showed.
"""
