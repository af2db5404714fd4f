"""The command line: `kubedrill`, and the same as the kubectl plugin `kubectl drill`."""
