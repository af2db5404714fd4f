"""What was seen: facts with bounds and sources, stored as versioned JSON, and whose doing they were."""
