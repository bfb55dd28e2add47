package ipam

import (
	"errors"
	"math/bits"
)

// Bundle stands for the members that a cluster needs; exactly one is set. Bundles are IPv4.
type Bundle struct {
	GKE *GKEBundle
	EKS *EKSBundle
}

// GKEBundle is a VPC-native GKE cluster: nodes take a subnetwork's primary range, pods and services secondary ranges that
// the user manages. Google keeps no address of a secondary range for itself.
// https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
type GKEBundle struct {
	Nodes          int64 // 1 to 15000; of all zones, and with those that an upgrade adds
	MaxPodsPerNode int64 // 8 to 256; GKE's default is 110
	Services       int64 // 1 to 65536
}

// EKSBundle is an EKS cluster whose pods take addresses of its subnets, as the Amazon VPC CNI has it. The control plane has
// a subnet of its own in each zone, a /28 as AWS advises, so that nodes cannot starve it. The services' range is no member:
// EKS refuses one that overlaps the VPC, which the pool of subnets is.
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
// https://docs.aws.amazon.com/eks/latest/best-practices/subnets.html
// https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
type EKSBundle struct {
	Zones          []string
	NodesPerZone   int64 // 1 to 5000
	MaxPodsPerNode int64 // 1 to 250
}

// members lists what the bundle stands for. A key that comes twice is CodeInvalid.
func (b Bundle) members() (map[string]BlockSize, error) {
	switch {
	case b.GKE != nil && b.EKS != nil:
		return nil, Invalid("/bundle", "a bundle is one of gke and eks; leave one out")
	case b.GKE != nil:
		return b.GKE.members()
	case b.EKS != nil:
		return b.EKS.members()
	}
	return nil, Invalid("/bundle", "a bundle is one of gke and eks; name one")
}

// The control plane's private endpoint takes an address beside the nodes, unless it is given a subnetwork of its own. A node
// takes the smallest pod range of at least twice its pods: a /28 for 8, a /26 for 32, a /24 for 110. Of a user GKE takes a
// pod range from a /9 to a /24, and a services range from a /16 to a /28; a range that GKE makes itself is at least a /21
// and a /27.
// https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips#cluster_sizing
// https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr
func (b GKEBundle) members() (map[string]BlockSize, error) {
	if err := errors.Join(within("gke/nodes", b.Nodes, 1, 15000), within("gke/max_pods_per_node", b.MaxPodsPerNode, 8, 256), within("gke/services", b.Services, 1, 65536)); err != nil {
		return nil, err
	}
	pods := 32 - log2(b.Nodes) - log2(2*b.MaxPodsPerNode)
	return map[string]BlockSize{
		"nodes":    {Hosts: b.Nodes + 1, Target: TargetGCPSubnetwork},
		"pods":     {Length: new(min(pods, 24)), Target: TargetGCPSubnetwork},
		"services": {Length: new(min(max(32-log2(b.Services), 16), 28)), Target: TargetGCPSubnetwork},
	}, nil
}

// A node takes an address of its own and one for each pod.
func (b EKSBundle) members() (map[string]BlockSize, error) {
	if err := errors.Join(within("eks/nodes_per_zone", b.NodesPerZone, 1, 5000), within("eks/max_pods_per_node", b.MaxPodsPerNode, 1, 250)); err != nil {
		return nil, err
	}
	all := map[string]BlockSize{}
	for _, zone := range b.Zones {
		if _, twice := all["nodes-"+zone]; twice {
			return nil, Invalid("/bundle/eks/zones", "the zone %q comes twice", zone)
		}
		all["nodes-"+zone] = BlockSize{Hosts: b.NodesPerZone * (1 + b.MaxPodsPerNode), Target: TargetAWSSubnet}
		all["control-plane-"+zone] = BlockSize{Length: new(28), Target: TargetAWSSubnet}
	}
	return all, nil
}

func within(field string, n, least, most int64) error {
	if n < least || n > most {
		return Invalid("/bundle/"+field, "%s is %d to %d; not %d", field, least, most, n)
	}
	return nil
}

// log2 is the smallest power of two that holds n things, n ≥ 1.
func log2(n int64) int { return bits.Len64(uint64(n - 1)) }
