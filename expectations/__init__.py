"""What the gates expect of the data: one module a suite, each with its reasons.

`flows/gates.py` reads the frames, `expectations/validation.py` asks Great Expectations, and
`python -m expectations` prints the table of everything that is checked.
Great Expectations takes seconds to import: import these modules inside functions.
"""
