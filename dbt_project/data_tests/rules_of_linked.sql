-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(["linked_repositories", "paper_links"]) }}
