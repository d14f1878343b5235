"""Checks of what was emitted against something independent of how it was made."""
