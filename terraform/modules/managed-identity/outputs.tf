output "id" {
  description = "Resource id, as compute resources take it."
  value       = azurerm_user_assigned_identity.this.id
}

output "client_id" {
  description = "Client id: what the identity calls itself when it asks for a token. Never the subject of a role assignment."
  value       = azurerm_user_assigned_identity.this.client_id
}

output "principal_id" {
  description = "Object id of the service principal: the subject of role assignments and the `oid` of its tokens."
  value       = azurerm_user_assigned_identity.this.principal_id
}
