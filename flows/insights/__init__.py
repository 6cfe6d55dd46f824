"""What the lists show over time: a query a plot, drawn without a script."""
