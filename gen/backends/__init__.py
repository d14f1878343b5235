"""Kernel → strings: one file for each language that gen writes."""
