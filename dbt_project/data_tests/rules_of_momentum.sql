-- What the models of this folder promise of their rows, each rule once.

{{ rules_of(["hub_trending_papers", "keyword_weeks", "paper_momentum", "trending_papers"]) }}
