"""The undo of every operation, derived from what was there just before, and the record that keeps it."""
