-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(["day_reports", "gate_results", "quarantined_items"]) }}
