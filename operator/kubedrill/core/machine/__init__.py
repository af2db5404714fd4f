"""The phases: what a drill becomes and does, from what it is and what was seen, and the status that tells of it."""
