"""A drill's report, from what the operator stored or from a transcript."""
