"""What facilitators do while a drill is on: start, follow, stop, enter what machines can't see."""
