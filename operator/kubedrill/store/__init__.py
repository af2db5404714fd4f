"""What we keep in the cluster: undo records and the evidence log, each with its write precondition."""
