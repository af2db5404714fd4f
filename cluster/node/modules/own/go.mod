module kubedrill.dev/cluster/own

go 1.25.0
