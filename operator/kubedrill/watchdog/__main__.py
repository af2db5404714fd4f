"""`python -m kubedrill.watchdog`: the watchdog's process."""

from kubedrill.watchdog.process import main

main()
