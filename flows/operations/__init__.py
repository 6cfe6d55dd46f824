"""For the operator: where each day stands, what is wrong, who is told, and upkeep."""
