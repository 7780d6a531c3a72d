"""What the 3D page of a tile is sent."""
