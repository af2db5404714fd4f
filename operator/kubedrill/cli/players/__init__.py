"""What players say, each under their own name, and scripts that act them."""
