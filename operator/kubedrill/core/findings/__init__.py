"""What the evidence shows without anybody's opinion: one rule, one function."""
