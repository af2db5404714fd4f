"""What ships with the project and is one file a member: faults, operations, sources, report formats."""
