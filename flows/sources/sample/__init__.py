"""The sample Hub's parts: its made-up days, the API that shows them, and the faults it can have."""
