"""The demo story: invented partners over two fiscal years, told through operations only.

`load.py` tells it from the first day to the last; the other modules hold who there is, what they earned, the papers
they upload, and one chapter each of what happened.
"""
