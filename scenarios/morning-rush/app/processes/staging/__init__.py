"""The staging application of the morning-rush drill: a queue of tickets and the workers that empty it."""
