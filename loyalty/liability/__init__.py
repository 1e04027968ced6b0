"""What is owed in points, and what moved: by store, by day, estimated and kept."""
