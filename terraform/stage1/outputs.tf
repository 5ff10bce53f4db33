output "acr_name" {
  description = "Name of the registry, for `az acr login`."
  value       = module.registry.name
}

output "acr_login_server" {
  description = "Host name that image references start with."
  value       = module.registry.login_server
}

output "key_vault_name" {
  description = "Name of the vault."
  value       = module.key_vault.name
}

output "gateway_identity" {
  description = "Ids of the identity with which the gateway signs in to the servers."
  value = {
    id           = module.gateway_identity.id
    client_id    = module.gateway_identity.client_id
    principal_id = module.gateway_identity.principal_id
  }
}

output "server_identities" {
  description = "Resource ids of the servers' identities by <server>-<tier>, once they may pull images."
  value       = { for name, identity in module.server_identities : name => identity.id }
  depends_on  = [module.role_assignments]
}

output "agents_pool" {
  description = "Name of the agents' pool in Azure DevOps, for the pipelines' parameter `pool`; null where there is none."
  value       = one(values(module.agents)[*].name)
}
