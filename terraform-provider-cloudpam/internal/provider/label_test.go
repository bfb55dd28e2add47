package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"pgregory.net/rapid"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

func labelMap(pairs map[string]string) types.Map {
	values := map[string]attr.Value{}
	for key, value := range pairs {
		values[key] = types.StringValue(value)
	}
	return types.MapValueMust(types.StringType, values)
}

func said(m types.Map) cloudpam.Labels {
	labels := cloudpam.Labels{}
	for key, value := range m.Elements() {
		labels[key] = value.(types.String).ValueString()
	}
	return labels
}

var fewLabels = rapid.MapOf(rapid.SampledFrom([]string{"team", "env", "cost"}), rapid.SampledFrom([]string{"", "a", "b"}))

// What was applied reads back as it was configured, whatever the defaults were then and are now: no diff of labels ever
// comes from default_labels.
func TestLabelsReadBackAsTheyWereConfigured(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		then, now := defaultLabels{labelMap(fewLabels.Draw(t, "defaults"))}, defaultLabels{labelMap(fewLabels.Draw(t, "changed defaults"))}
		own := labelMap(fewLabels.Draw(t, "labels"))
		if rapid.Bool().Draw(t, "no labels") {
			own = types.MapNull(types.StringType)
		}
		planned, diags := then.merge(own)
		if diags.HasError() {
			t.Fatal(diags)
		}
		for _, defaults := range []defaultLabels{then, now} {
			readOwn, readAll := defaults.split(own, planned, said(planned))
			if !readOwn.Equal(own) || !readAll.Equal(planned) {
				t.Fatalf("defaults %s: labels %s read %s, labels_all %s read %s", defaults.set, own, readOwn, planned, readAll)
			}
		}
	})
}

// An import knows nothing but the server's labels: what is a default is not the resource's own.
func TestAnImportTakesDefaultsForDefaults(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		defaults := defaultLabels{labelMap(fewLabels.Draw(t, "defaults"))}
		all := labelMap(fewLabels.Draw(t, "labels of the object"))
		own, readAll := defaults.split(types.MapNull(types.StringType), types.MapNull(types.StringType), said(all))
		if !readAll.Equal(all) {
			t.Fatalf("labels_all %s read %s", all, readAll)
		}
		for key, value := range own.Elements() {
			if value.Equal(defaults.set.Elements()[key]) {
				t.Fatalf("%s = %s is a default and was read as the resource's own", key, value)
			}
		}
		merged, _ := defaults.merge(own)
		for key, value := range all.Elements() {
			if !merged.Elements()[key].Equal(value) {
				t.Fatalf("the plan after the import would change %s from %s to %s", key, value, merged.Elements()[key])
			}
		}
	})
}

func TestADriftedLabelShows(t *testing.T) {
	t.Parallel()
	defaults, own := defaultLabels{labelMap(map[string]string{"team": "net", "env": "dev"})}, labelMap(map[string]string{"app": "web"})
	all, _ := defaults.merge(own)
	gotOwn, gotAll := defaults.split(own, all, cloudpam.Labels{"team": "other", "app": "api", "stray": "x"})
	if want := labelMap(map[string]string{"team": "other", "app": "api", "stray": "x"}); !gotOwn.Equal(want) || !gotAll.Equal(want) {
		t.Errorf("labels %s, labels_all %s, want both %s", gotOwn, gotAll, want)
	}
}

func TestWhatIsUnknownStaysUnknownAlone(t *testing.T) {
	t.Parallel()
	defaults := defaultLabels{types.MapValueMust(types.StringType, map[string]attr.Value{"team": types.StringUnknown(), "env": types.StringValue("dev")})}
	if all, _ := defaults.merge(types.MapNull(types.StringType)); !all.Equal(defaults.set) {
		t.Errorf("labels_all is %s", all)
	}
	for _, unknown := range []types.Map{types.MapUnknown(types.StringType)} {
		if all, _ := defaults.merge(unknown); !all.IsUnknown() {
			t.Errorf("unknown labels give %s", all)
		}
		if all, _ := (defaultLabels{unknown}).merge(labelMap(nil)); !all.IsUnknown() {
			t.Errorf("unknown defaults give %s", all)
		}
	}
}
