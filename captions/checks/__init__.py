"""What is doubtful about a caption: one small module a kind of doubt, one protocol."""
