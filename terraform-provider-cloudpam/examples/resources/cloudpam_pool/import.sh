# By id: <name> in the scope "default", <scope>.<name> elsewhere.
terraform import cloudpam_pool.corp corp
terraform import cloudpam_pool.partner partner.corp
