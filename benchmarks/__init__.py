"""Measurements that back what the documentation claims."""
