"""The gates: Great Expectations over a load, one verdict a reading, kept in `audit`."""
