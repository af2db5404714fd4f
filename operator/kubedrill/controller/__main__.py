"""`python -m kubedrill.controller`: the operator's process."""

from kubedrill.controller.operator import main

main()
