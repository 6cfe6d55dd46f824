-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(
    [
        "list_readings", "listings", "paper_authors", "paper_changes", "paper_documents",
        "paper_readings", "papers"
    ]
) }}
