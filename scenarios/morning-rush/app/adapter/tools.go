//go:build tools

// Package tools pins the program that we build; nothing here is compiled.
package tools

import _ "sigs.k8s.io/prometheus-adapter/cmd/adapter"
