# By id: <name> in the scope "default", <scope>.<name> elsewhere.
terraform import cloudpam_pool.corp corp
terraform import cloudpam_pool.partner partner.corp
# By uid, which stays when the pool is renamed.
terraform import cloudpam_pool.lab pool_05avjh1t8b000
