"""`python -m cli` is `ketnap`."""

from cli.main import main

main()
