"""Quality pages: what was checked of each day, week and month, for people to read."""
