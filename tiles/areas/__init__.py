"""What an area says of itself, and its counts."""
