"""The lines of a delivery: kept as they were sent, judged, and summed, each by a fixed number of set-based statements.

    lines.py    keeping lines, and saying where their cells are
    amounts.py  reading amounts in either notation
    faults.py   what can be wrong with a line, and the sentence for it
    judge.py    the one statement that judges every line
    effects.py  what the judged lines do to each fund

Nothing here posts money: that is for funds.operations.
"""
