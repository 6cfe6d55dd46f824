"""The published file and its Parquet twins: how they are described, read and asked."""
