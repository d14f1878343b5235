"""`python -m gen`."""

from gen.cli import main

main()
