// nodenet is the smallest pod network for a kind cluster. On each node it waits for the
// node's podCIDR, writes a CNI configuration for it, routes the other nodes' podCIDRs and
// masquerades what leaves the pod network. It enforces no NetworkPolicy.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"
	configuration  = "/etc/cni/net.d/10-nodenet.conflist"

	// A new cluster's nodes join within seconds of each other: until then a route may be
	// missing although every node is Ready.
	joining = 2 * time.Minute
)

type node struct {
	Metadata struct{ Name string }
	Spec     struct{ PodCIDR string }
	Status   struct {
		Addresses []struct{ Type, Address string }
	}
}

func main() {
	self, podSubnet := os.Getenv("NODE_NAME"), os.Getenv("POD_SUBNET")
	client, err := apiClient()
	if err != nil {
		log.Fatal(err)
	}
	configured, began := "", time.Now()
	for {
		nodes, err := listNodes(client)
		if err == nil {
			configured, err = connect(nodes, self, configured)
		}
		if err == nil {
			err = masquerade(podSubnet)
		}
		if err != nil {
			log.Print(err)
		}
		if time.Since(began) < joining {
			time.Sleep(500 * time.Millisecond)
		} else {
			time.Sleep(10 * time.Second)
		}
	}
}

func apiClient() (*http.Client, error) {
	authority, err := os.ReadFile(serviceAccount + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}, nil
}

func listNodes(client *http.Client) ([]node, error) {
	address := os.Getenv("CONTROL_PLANE_ENDPOINT")
	if address == "" {
		address = os.Getenv("KUBERNETES_SERVICE_HOST") + ":" + os.Getenv("KUBERNETES_SERVICE_PORT")
	}
	token, err := os.ReadFile(serviceAccount + "token")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest("GET", "https://"+address+"/api/v1/nodes", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("list nodes: %s", response.Status)
	}
	var list struct{ Items []node }
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, err
	}
	return list.Items, nil
}

// connect brings this node's own configuration and its routes to the others up to date,
// and returns the podCIDR that is configured now.
func connect(nodes []node, self, configured string) (string, error) {
	for _, n := range nodes {
		if n.Spec.PodCIDR == "" {
			continue
		}
		if n.Metadata.Name == self {
			if n.Spec.PodCIDR == configured {
				continue
			}
			if err := configure(n.Spec.PodCIDR); err != nil {
				return configured, err
			}
			configured = n.Spec.PodCIDR
			log.Printf("pod network %s", configured)
			continue
		}
		for _, a := range n.Status.Addresses {
			if a.Type != "InternalIP" || strings.Contains(a.Address, ":") {
				continue
			}
			if err := run("ip", "route", "replace", n.Spec.PodCIDR, "via", a.Address); err != nil {
				return configured, err
			}
		}
	}
	return configured, nil
}

func configure(podCIDR string) error {
	text := fmt.Sprintf(`{"cniVersion": "0.4.0", "name": "nodenet", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam",
    "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": %q}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
`, podCIDR)
	// written aside and renamed: containerd must never read half a file
	if err := os.WriteFile(configuration+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(configuration+".new", configuration)
}

func masquerade(podSubnet string) error {
	if podSubnet == "" {
		return nil
	}
	rule := []string{"POSTROUTING", "-s", podSubnet, "!", "-d", podSubnet,
		"-m", "addrtype", "!", "--dst-type", "LOCAL", "-j", "MASQUERADE"}
	if run("iptables", append([]string{"-w", "-t", "nat", "-C"}, rule...)...) == nil {
		return nil
	}
	return run("iptables", append([]string{"-w", "-t", "nat", "-A"}, rule...)...)
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %v: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
