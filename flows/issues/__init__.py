"""Issues, frozen: the folder of an edition of a date, and the weeks and months they cover."""
