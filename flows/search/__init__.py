"""Search over what is published: how words are read, the index, and the papers that a text finds."""
