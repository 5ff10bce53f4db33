output "client_id" {
  description = "Application (client) id, once its service principal exists."
  value       = azuread_application.this.client_id

  depends_on = [azuread_service_principal.this]
}

output "identifier_uri" {
  description = "`api://{appId}`, or null for an app that offers nothing."
  value       = one(values(azuread_application_identifier_uri.this)[*].identifier_uri)
}

output "service_principal_object_id" {
  description = "Object id of the service principal: what role assignments refer to."
  value       = azuread_service_principal.this.object_id
}

output "scopes" {
  description = "Full name of each delegated permission, as clients ask for it: value => api://{appId}/value."
  value       = { for value in keys(var.scopes) : value => "${azuread_application_identifier_uri.this["this"].identifier_uri}/${value}" }
}

output "scope_ids" {
  description = "Id of each delegated permission: value => id."
  value       = local._scope_ids
}
