package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// meant tells the server what a block is planned for, so that the policies of the pool refuse the plan what they would refuse the apply.
// Nil while any of it is known after apply: then the apply is told.
func meant(ctx context.Context, owner, purpose, account, region, environment types.String, labels types.Map) *cloudpam.MeantFor {
	for _, v := range []attr.Value{owner, purpose, account, region, environment, labels} {
		if !settled(ctx, v) {
			return nil
		}
	}
	known, _ := optionalLabels(ctx, labels)
	return &cloudpam.MeantFor{
		Owner: optionalText(owner), Purpose: optionalText(purpose), Account: optionalText(account), Region: optionalText(region), Environment: optionalText(environment),
		Labels: known,
	}
}
