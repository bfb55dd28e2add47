package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	disruption "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// objects are what a chart makes, decoded so that a field that Kubernetes does not know fails.
type objects struct {
	deployment *apps.Deployment
	service    *core.Service
	account    *core.ServiceAccount
	volume     *core.PersistentVolumeClaim
	ingress    *networking.Ingress
	policy     *networking.NetworkPolicy
	disruption *disruption.PodDisruptionBudget
	monitor    *serviceMonitor
	rules      *prometheusRule
}

// serviceMonitor and prometheusRule have the fields of the Prometheus operator's API (monitoring.coreos.com/v1) that we use.
type meta struct {
	APIVersion, Kind string
	Metadata         struct {
		Name   string
		Labels map[string]string
	}
}

type serviceMonitor struct {
	meta `json:",inline"`
	Spec struct {
		Selector  struct{ MatchLabels map[string]string }
		Endpoints []struct {
			Port, Path, Interval, Scheme string
			TLSConfig                    struct{ InsecureSkipVerify bool }
		}
	}
}

type prometheusRule struct {
	meta `json:",inline"`
	Spec struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load("helm/cloudpam")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render makes what `helm install try` of these values would, as helm does it: schema first.
func render(t *testing.T, values string) (objects, error) {
	t.Helper()
	var given map[string]any
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		t.Fatal(err)
	}
	c := loadChart(t)
	all, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: "try", Namespace: "net", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return objects{}, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return objects{}, err
	}
	var o objects
	for name, text := range files {
		if strings.TrimSpace(text) == "" || strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		var head struct{ Kind string }
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		decode := func(into any) {
			if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
			}
		}
		switch head.Kind {
		case "Deployment":
			o.deployment = &apps.Deployment{}
			decode(o.deployment)
		case "Service":
			o.service = &core.Service{}
			decode(o.service)
		case "ServiceAccount":
			o.account = &core.ServiceAccount{}
			decode(o.account)
		case "PersistentVolumeClaim":
			o.volume = &core.PersistentVolumeClaim{}
			decode(o.volume)
		case "Ingress":
			o.ingress = &networking.Ingress{}
			decode(o.ingress)
		case "NetworkPolicy":
			o.policy = &networking.NetworkPolicy{}
			decode(o.policy)
		case "PodDisruptionBudget":
			o.disruption = &disruption.PodDisruptionBudget{}
			decode(o.disruption)
		case "ServiceMonitor":
			o.monitor = &serviceMonitor{}
			decode(o.monitor)
		case "PrometheusRule":
			o.rules = &prometheusRule{}
			decode(o.rules)
		default:
			t.Errorf("%s makes a %q, which nothing here decodes", name, head.Kind)
		}
	}
	return o, nil
}

const postgresql = "database: {engine: postgresql, postgresql: {existingSecret: db}}\n"

// valueSets are the installations that the chart is for.
var valueSets = map[string]string{
	"nothing said":                      "",
	"PostgreSQL":                        postgresql + "replicas: 3",
	"one on PostgreSQL":                 postgresql,
	"a claim of one's own, and a class": "persistence: {existingClaim: mine, storageClass: fast}",
	"a class":                           "persistence: {size: 2Ti, storageClass: fast, annotations: {backup: daily}}",
	"behind an ingress":                 "ingress: {enabled: true, className: nginx, host: ipam.example.com, tls: {secretName: ipam-tls}, annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 8m}}",
	"TLS to the server":                 "tls: {existingSecret: ipam-tls}\nmonitoring: {serviceMonitor: {enabled: true}}",
	"IRSA":                              "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/cloudpam'}}\nsettings: {CLOUDS: 'aws,gcp', SYNC_EVERY: 5m}\nsecretSettings: {AWS_EXTERNAL_ID: {name: cloudpam, key: external-id}}",
	"an account of others":              "serviceAccount: {create: false, name: shared}",
	"logins":                            "issuers: {name: cloudpam, key: issuers.json}\nbootstrapToken: {name: cloudpam, key: token}\nsealKey: {name: cloudpam, key: seal.pem}\nsettings: {URL: 'https://ipam.example.com', LOG_LEVEL: debug, LOG_FORMAT: text, HOLD_QUOTA: 0, MIGRATE: false}",
	"kept from others":                  "networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {team: net}}}]}\npodDisruptionBudget: {maxUnavailable: 50%}\n" + postgresql + "replicas: 2",
	"watched":                           "monitoring: {serviceMonitor: {enabled: true, interval: 15s, labels: {release: prometheus}}, rules: {enabled: true, labels: {release: prometheus}}}",
	"placed":                            "nodeSelector: {zone: a}\ntolerations: [{key: net, operator: Exists}]\naffinity: {nodeAffinity: {}}\ntopologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]\npriorityClassName: high\npodLabels: {team: net}\npodAnnotations: {a: b}\nimagePullSecrets: [{name: registry}]\nimage: {repository: registry.example.com/cloudpam, tag: 1.2.3}",
	"pinned":                            "image: {repository: registry.example.com/cloudpam, digest: 'sha256:" + strings.Repeat("0a", 32) + "'}\nresources: {}\nservice: {type: LoadBalancer, port: 443, annotations: {a: b}}",
}

func TestTheChartMakesWhatKubernetesKnows(t *testing.T) {
	settings := serverSettings(t)
	for name, values := range valueSets {
		t.Run(name, func(t *testing.T) {
			o, err := render(t, values)
			if err != nil {
				t.Fatal(err)
			}
			if o.deployment == nil || o.service == nil {
				t.Fatal("there is no deployment or no service")
			}
			pod := o.deployment.Spec.Template
			c := pod.Spec.Containers[0]
			if c.Image == "" || strings.HasSuffix(c.Image, ":") {
				t.Errorf("the image is %q", c.Image)
			}
			for label, value := range o.deployment.Spec.Selector.MatchLabels {
				if pod.Labels[label] != value || o.service.Spec.Selector[label] != value {
					t.Errorf("the selectors of deployment and service miss the pods: %s=%s", label, value)
				}
			}

			// As much as a server needs, and no more.
			if s := c.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !slices.Contains(s.Capabilities.Drop, "ALL") {
				t.Errorf("the container may do more than it needs: %+v", s)
			}
			if s := pod.Spec.SecurityContext; !*s.RunAsNonRoot || *s.RunAsUser != 65532 || *s.FSGroup != 65532 {
				t.Errorf("the pod runs as %+v", s)
			}
			if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
				t.Error("the token of the cluster's API is mounted")
			}

			// All that is mounted is there, and what is written to is a volume.
			volumes := map[string]core.Volume{}
			for _, v := range pod.Spec.Volumes {
				volumes[v.Name] = v
			}
			for _, m := range c.VolumeMounts {
				if _, there := volumes[m.Name]; !there {
					t.Errorf("%s is mounted and no volume", m.Name)
				}
			}
			env := map[string]core.EnvVar{}
			for _, e := range c.Env {
				if _, twice := env[e.Name]; twice {
					t.Errorf("%s is set twice", e.Name)
				}
				env[e.Name] = e
				if !slices.Contains(settings, e.Name) {
					t.Errorf("%s is no setting of the server", e.Name)
				}
				if strings.HasSuffix(e.Name, "_FILE") && !slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == filepath.Dir(e.Value) }) {
					t.Errorf("%s is %s, where nothing is mounted", e.Name, e.Value)
				}
			}

			// One file is never opened by two servers, and outlives the release.
			if claim := volumes["data"].PersistentVolumeClaim; claim != nil {
				if *o.deployment.Spec.Replicas != 1 || o.deployment.Spec.Strategy.Type != apps.RecreateDeploymentStrategyType {
					t.Errorf("%d servers share a file, with strategy %s", *o.deployment.Spec.Replicas, o.deployment.Spec.Strategy.Type)
				}
				if env["CLOUDPAM_DATABASE_URL"].Value != "sqlite:///data/cloudpam.db" {
					t.Errorf("the database is %q", env["CLOUDPAM_DATABASE_URL"].Value)
				}
				if o.volume != nil && (o.volume.Annotations["helm.sh/resource-policy"] != "keep" || claim.ClaimName != o.volume.Name) {
					t.Errorf("the volume %s of claim %s goes with the release: %v", o.volume.Name, claim.ClaimName, o.volume.Annotations)
				}
			} else if ref := env["CLOUDPAM_DATABASE_URL"].ValueFrom; ref == nil || ref.SecretKeyRef == nil || o.volume != nil || env["CLOUDPAM_DATABASE_URL"].Value != "" {
				t.Error("the URL of PostgreSQL is no reference to a secret, or there is a volume beside it")
			}
			if (o.disruption != nil) != (*o.deployment.Spec.Replicas > 1) {
				t.Errorf("%d servers, and a budget for disruptions: %v", *o.deployment.Spec.Replicas, o.disruption != nil)
			}

			scheme := core.URISchemeHTTP
			if _, secure := env["CLOUDPAM_TLS_CERT_FILE"]; secure {
				scheme = core.URISchemeHTTPS
			}
			for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
				if probe == nil || probe.HTTPGet.Scheme != scheme {
					t.Errorf("a probe asks by %v, and the server speaks %s", probe, scheme)
				}
			}
			if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
				t.Error("a server is ended where it only is not ready")
			}
			if o.monitor != nil && strings.EqualFold(string(scheme), o.monitor.Spec.Endpoints[0].Scheme) == (scheme == core.URISchemeHTTP) {
				t.Errorf("Prometheus asks by %q, and the server speaks %s", o.monitor.Spec.Endpoints[0].Scheme, scheme)
			}
		})
	}
}

// serverSettings are the variables in the table of docs/configuration.md; a test of the server keeps that table whole.
func serverSettings(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?m)^\\| `(CLOUDPAM_[A-Z0-9_]+)`").FindAllSubmatch(text, -1) {
		all = append(all, string(found[1]))
	}
	if len(all) < 20 {
		t.Fatalf("the table of settings has %d rows", len(all))
	}
	return all
}

func TestValuesThatCannotWorkAreRefused(t *testing.T) {
	for values, says := range map[string]string{
		"replicas: 2":                                  "replicas",
		"database: {engine: postgresql}":               "existingSecret",
		"database: {engine: mysql}":                    "engine",
		"settings: {CLOUDPAM_LOG_LEVEL: debug}":        "CLOUDPAM_LOG_LEVEL",
		"settings: {DATABASE_URL: 'postgres://x'}":     "DATABASE_URL",
		"settings: {BOOTSTRAP_TOKEN: secret}":          "BOOTSTRAP_TOKEN",
		"secretSettings: {AWS_EXTERNAL_ID: {name: x}}": "key",
		"bootstrapToken: {name: x}":                    "key",
		"image: {repository: x, digest: latest}":       "digest",
		"persistance: {size: 1Gi}":                     "persistance",
		"persistence: {size: big}":                     "size",
		"drainDelay: 5":                                "drainDelay",
	} {
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: it is not refused for %s: %v", values, says, err)
		}
	}
}

// Whoever upgrades keeps the volume that is there: what makes it does not depend on the version.
func TestAnUpgradeKeepsTheVolume(t *testing.T) {
	before, err := render(t, "")
	if err != nil {
		t.Fatal(err)
	}
	after, err := render(t, "image: {repository: x, tag: 9.9.9}\nsettings: {LOG_LEVEL: debug}")
	if err != nil {
		t.Fatal(err)
	}
	if before.volume.Name != after.volume.Name || fmt.Sprint(before.volume.Spec) != fmt.Sprint(after.volume.Spec) {
		t.Errorf("the volume was %v and is %v", before.volume, after.volume)
	}
	if fmt.Sprint(before.deployment.Spec.Selector) != fmt.Sprint(after.deployment.Spec.Selector) {
		t.Error("the deployment's selector changes, which Kubernetes refuses")
	}
}

// The chart's rules are those of the monitoring folder.
func TestTheChartHasTheRulesOfTheMonitoringExample(t *testing.T) {
	ours, err := os.ReadFile("helm/cloudpam/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile("monitoring/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Error("helm/cloudpam/rules.yaml differs from monitoring/rules.yaml: copy it")
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
