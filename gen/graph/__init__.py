"""The expression graph: its nodes, the algebra that builds them, and the table of operations."""
