# By its name, or by its id.
terraform import cloudpam_webhook.inventory inventory
