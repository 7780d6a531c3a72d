"""An area as a mosaic: where each tile lies, what became of it, and small pictures of all."""
