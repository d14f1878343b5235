"""From a formula to straight-line code: one pass a file, graph in, graph out."""
