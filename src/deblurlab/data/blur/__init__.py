"""What makes a sharp image blurred."""
