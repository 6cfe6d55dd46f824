-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(["int_papers_listed", "int_papers_versioned"]) }}
