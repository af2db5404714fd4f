"""What a drill is to be: its design with everything derived, and what must be so before it starts."""
