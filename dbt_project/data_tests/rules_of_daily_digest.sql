-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(
    [
        "daily_digest_papers", "daily_digest_updates", "daily_digests", "digest_deliveries"
    ],
    beside=["list_readings", "papers"]
) }}
