// runcwrap is an OCI runtime for machines that hold fewer rights than a privileged
// container asks for (no CAP_SYS_RESOURCE, say). It edits the bundle so that it asks for
// no more than this process may give, then becomes the real runc:
//   - capabilities outside our own bounding set are dropped,
//   - resource limits above our own hard limits are lowered to them,
//   - an oom_score_adj below ours is raised to ours.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// capabilityNames is ordered by the kernel's bit numbers (linux/capability.h).
var capabilityNames = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL
	SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW
	IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
	SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
	MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
	CHECKPOINT_RESTORE`)

// limitNumbers holds for amd64 and arm64 (asm-generic/resource.h).
var limitNumbers = map[string]int{
	"RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4,
	"RLIMIT_RSS": 5, "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_MEMLOCK": 8, "RLIMIT_AS": 9,
	"RLIMIT_LOCKS": 10, "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13,
	"RLIMIT_RTPRIO": 14, "RLIMIT_RTTIME": 15,
}

func main() {
	args := os.Args[1:]
	switch subcommand, bundle, process := parse(args); {
	case subcommand == "exec" && process != "":
		clampFile(process, func(document map[string]any) map[string]any { return document })
	case subcommand == "create" || subcommand == "run" || subcommand == "restore":
		clampFile(filepath.Join(bundle, "config.json"), func(document map[string]any) map[string]any {
			process, _ := document["process"].(map[string]any)
			return process
		})
	}
	runc, err := exec.LookPath("runc")
	if err == nil {
		err = syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "runcwrap: cannot become runc:", err)
	os.Exit(127)
}

// parse finds the subcommand and the two options that name a file to edit.
func parse(args []string) (subcommand, bundle, process string) {
	bundle = "."
	for i, arg := range args {
		key, value, joined := strings.Cut(arg, "=")
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		switch key {
		case "create", "run", "exec", "restore":
			if subcommand == "" {
				subcommand = key
			}
		case "--bundle", "-b":
			bundle = value
		case "--process", "-p":
			process = value
		}
	}
	return subcommand, bundle, process
}

// clampFile rewrites a bundle's JSON. What can't be read is left for runc to report.
func clampFile(path string, processOf func(map[string]any) map[string]any) {
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var document map[string]any
	if decoder.Decode(&document) != nil {
		return
	}
	process := processOf(document)
	if process == nil {
		return
	}
	clampCapabilities(process, boundingSet())
	clampLimits(process)
	clampOOMScore(process)
	if clamped, err := json.Marshal(document); err == nil {
		os.WriteFile(path, clamped, 0o600)
	}
}

func clampCapabilities(process map[string]any, allowed map[string]bool) {
	sets, _ := process["capabilities"].(map[string]any)
	for name, value := range sets {
		asked, _ := value.([]any)
		kept := []any{}
		for _, capability := range asked {
			if text, _ := capability.(string); allowed[text] {
				kept = append(kept, capability)
			}
		}
		sets[name] = kept
	}
}

func clampLimits(process map[string]any) {
	limits, _ := process["rlimits"].([]any)
	for _, entry := range limits {
		limit, _ := entry.(map[string]any)
		kind, _ := limit["type"].(string)
		number, known := limitNumbers[kind]
		var own syscall.Rlimit
		if !known || syscall.Getrlimit(number, &own) != nil {
			continue
		}
		for _, bound := range []string{"hard", "soft"} {
			asked, _ := limit[bound].(json.Number)
			if value, err := strconv.ParseUint(asked.String(), 10, 64); err != nil || value > own.Max {
				limit[bound] = own.Max
			}
		}
	}
}

func clampOOMScore(process map[string]any) {
	asked, is := process["oomScoreAdj"].(json.Number)
	if !is {
		return
	}
	text, _ := os.ReadFile("/proc/self/oom_score_adj")
	own, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	if value, err := asked.Int64(); err == nil && int(value) < own {
		process["oomScoreAdj"] = own
	}
}

// boundingSet is what this process may hand on at most.
func boundingSet() map[string]bool {
	allowed := map[string]bool{}
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		hex, found := strings.CutPrefix(line, "CapBnd:")
		if !found {
			continue
		}
		bits, _ := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		for number, name := range capabilityNames {
			if bits&(1<<uint(number)) != 0 {
				allowed["CAP_"+name] = true
			}
		}
	}
	return allowed
}
