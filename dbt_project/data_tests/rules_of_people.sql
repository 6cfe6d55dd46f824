-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(["authors", "curation_days", "organizations", "submitters"]) }}
