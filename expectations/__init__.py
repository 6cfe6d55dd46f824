"""What the gates expect of the data: one module a suite, each with its reasons.

`flows/gates/gate.py` reads the frames, `expectations/validation.py` asks Great Expectations, and
`python -m expectations` prints the table of everything that is checked.
Great Expectations takes seconds to import: import these modules inside functions.
"""

# What gate raw is asked about, in SQL over `raw.readings`: what may become a list, and what the
# Hub calls trending, which is never one but is published all the same.
JUDGED = "(readings.is_whole or (readings.kind = 'trending' and readings.verdict = 'complete'))"
