"""Search over what is published: how words are read, the index, and what a text finds."""
