package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// Terraform 1.12 keeps an identity next to each resource's state: what names the object for good, and must never change. It is
// the key of the server, which no rename changes: uid where the id follows a name, id of everything else. Terraform before that
// keeps none, and the framework still wants one from every answer that leaves a resource, also from the Read that finds it gone.

func identitySchema(description string) identityschema.Schema {
	return identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: description},
	}}
}

// uidIdentity is the identity of what has a uid. Version 0 had its id.
func uidIdentity(description string) identityschema.Schema {
	return identityschema.Schema{Version: 1, Attributes: map[string]identityschema.Attribute{
		"uid": identityschema.StringAttribute{RequiredForImport: true, Description: description},
	}}
}

// identifyByUID sets the identity of an answer. Terraform before 1.12 may have a state without a uid; when the object turns out
// to be gone, its id will do.
func identifyByUID(ctx context.Context, identity *tfsdk.ResourceIdentity, uid, id types.String) diag.Diagnostics {
	if uid.ValueString() == "" {
		var known types.String
		if identity.GetAttribute(ctx, path.Root("uid"), &known); known.ValueString() != "" {
			return nil
		}
		uid = id
	}
	return identity.SetAttribute(ctx, path.Root("uid"), uid)
}

// upgradeToUID replaces the id in an identity of version 0 by the uid that find answers. One that nobody can look up, as in
// `terraform show`, which configures no provider, or that is gone, keeps its id; the next Read says so.
func upgradeToUID(find func(ctx context.Context, id string) (uid string, err error)) map[int64]resource.IdentityUpgrader {
	prior := identitySchema("Id.")
	return map[int64]resource.IdentityUpgrader{0: {PriorSchema: &prior, IdentityUpgrader: func(ctx context.Context, req resource.UpgradeIdentityRequest, resp *resource.UpgradeIdentityResponse) {
		var id types.String
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("id"), &id)...)
		if resp.Diagnostics.HasError() {
			return
		}
		uid, err := find(ctx, id.ValueString())
		switch {
		case errors.Is(err, cloudpam.ErrNotFound), err == nil && uid == "":
			uid = id.ValueString()
		case err != nil:
			resp.Diagnostics.AddError("Identity cannot be upgraded", fmt.Sprintf("The uid of %q cannot be read: %s", id.ValueString(), sentence(err.Error())))
			return
		}
		resp.Diagnostics.Append(resp.Identity.Set(ctx, struct {
			UID string `tfsdk:"uid"`
		}{uid})...)
	}}}
}

// identify sets the identity of an answer.
func identify(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String) diag.Diagnostics {
	return identity.SetAttribute(ctx, path.Root("id"), id)
}

// importID is what an import names: an id of any form, or the id of an identity.
func importID(ctx context.Context, req resource.ImportStateRequest) (string, diag.Diagnostics) {
	return imported(ctx, req, "id")
}

// importUID is importID of what is identified by its uid.
func importUID(ctx context.Context, req resource.ImportStateRequest) (string, diag.Diagnostics) {
	return imported(ctx, req, "uid")
}

func imported(ctx context.Context, req resource.ImportStateRequest, key string) (string, diag.Diagnostics) {
	if req.ID != "" {
		return req.ID, nil
	}
	var value types.String
	diags := req.Identity.GetAttribute(ctx, path.Root(key), &value)
	return value.ValueString(), diags
}
