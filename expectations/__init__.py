"""What the gates expect of the data: one module a suite, each with its reasons.

`flows/gates/gate.py` reads the frames, `expectations/validation.py` asks Great Expectations, and
`python -m expectations` prints the table of everything that is checked.
Great Expectations takes seconds to import: import these modules inside functions.
"""

# What gate raw is asked about, in SQL over `raw.readings`: what may become a list, and what the
# Hub calls trending, which is never one but is published all the same.
JUDGED = "(readings.is_whole or (readings.kind = 'trending' and readings.verdict = 'complete'))"
# What gate linked is asked about: what the Hub said of single papers, where it said anything.
LINKED = "(readings.kind = 'linked' and readings.verdict = 'complete')"

# What the marts are made of, and of each list date the reading that its digest shows.
ADMITTED = "select * from audit.judged_readings where is_admitted and kind = 'daily'"
SHOWN = f"""
    {ADMITTED}
    qualify row_number() over (partition by list_date order by read_at desc, reading_id desc) = 1
"""

# One bad item never stops a load; more than one in so many do.
ITEMS_PER_BAD_ONE = 20

# What a list usually has: the median of the lists with papers on its weekday in so many days before
# it, of the newest so many of them; of fewer than three nothing is usual.
USUAL_WITHIN_DAYS, USUAL_OF_MOST, USUAL_OF_FEWEST = 90, 8, 3

# A title has to show something: no space, control or format character, combining mark, or one of
# the letters and signs that Unicode draws as nothing (Hangul fillers, the empty Braille pattern).
VISIBLE = r"[^\s\p{C}\p{Z}\p{M}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]"
