"""The dead-man switch: a process of its own that puts back what the operator has left. See README.md."""
