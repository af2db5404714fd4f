"""`python -m kubedrill.shell`: the operator's process."""

from kubedrill.shell.operator import main

main()
