"""What is fast, what it costs in memory, and whether it still learns: the asv suite."""
