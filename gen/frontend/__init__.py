"""From what users write to a `Formula`."""
