output "public_base_url" {
  description = "Where callers reach the gateway."
  value       = module.names.gateway.public_base_url
}

output "endpoints" {
  description = "MCP endpoint of each server, once the gateway and a server behind it exist."
  value       = { for name in keys(var.mcp_servers) : name => "${module.names.gateway.public_base_url}/${name}/mcp" }
  depends_on  = [module.apim, module.servers, module.apps]
}

output "mcp_registry_url" {
  description = "Where the MCP registry answers, without /v0.1/servers, which clients add; null where it is off."
  value       = var.mcp_registry.access == "off" ? null : module.names.gateway.public_base_url
}

output "apim_name" {
  description = "Name of the API Management service."
  value       = module.apim.name
}

output "tenant_id" {
  description = "Entra tenant that callers sign in to."
  value       = local.tenant_id
}

output "authority" {
  description = "Entra authority of the tenant, without /v2.0."
  value       = local.authority
}

output "scope" {
  description = "Scope that callers ask for."
  value       = module.api_app.scopes[local._api_scope]
}

output "client_ids" {
  description = "Client ids of the public clients by name."
  value       = { for name, app in module.client_apps : name => app.client_id }
}
