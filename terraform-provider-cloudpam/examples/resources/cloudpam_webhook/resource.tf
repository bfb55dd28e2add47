# The secret comes from wherever you keep secrets: a vault, or a variable of the pipeline.
variable "webhook_secret" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "cloudpam_webhook" "inventory" {
  name              = "inventory"
  url               = "https://hooks.example.com/cloudpam"
  actions           = ["allocation.*", "pool.*"]
  secret_wo         = var.webhook_secret
  secret_wo_version = 1
}
