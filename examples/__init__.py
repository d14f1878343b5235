"""Programs that use emitted functions."""
