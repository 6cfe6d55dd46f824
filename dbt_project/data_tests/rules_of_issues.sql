-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(["issue_as_known_now", "issue_as_sent"]) }}
