"""What a run is in Prefect: its name, its page, its progress, its place in the queue."""
