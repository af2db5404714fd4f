"""What the facts say: milestones, objectives, verdict and score, and the record that a report is made of."""
