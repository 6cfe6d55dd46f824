"""Who gets the digest, what they chose, and what became of each message.

The list (`subscribers`) and each reader's choice (`rules`) feed the sending loop (`sending`), which
writes to the ledger before and after every message and hands it to a transport. All state is in one
database (`database`); no personal data leaves it: analysts get counts.

    digest ──choose(rule)──▶ one letter a rule ──claim──▶ transport ──250──▶ sent
                                                 ledger     4xx deferred · 5xx failed · cut unknown
"""
