-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(
    [
        "stg_hub__items", "stg_hub__linked_papers", "stg_hub__readings", "stg_hub__trending_items"
    ]
) }}
