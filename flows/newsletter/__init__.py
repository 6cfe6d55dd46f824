"""Pure rendering: a digest or a day's quality to HTML, text and mail. No I/O."""
