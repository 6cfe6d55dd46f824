-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(
    [
        "monthly_digest_papers", "monthly_digests", "weekly_digest_papers", "weekly_digests"
    ]
) }}
