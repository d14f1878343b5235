"""What the command can do: one file for what is about a function, one for a spec."""
