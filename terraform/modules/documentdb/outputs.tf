output "id" {
  description = "Resource id of the cluster: the target of its private endpoint."
  value       = azurerm_mongo_cluster.this.id
}

output "name" {
  description = "Name of the cluster."
  value       = azurerm_mongo_cluster.this.name
}

output "connection_strings" {
  description = "Connection string of each identity in `identities`, by its name there. They hold no secret: who connects brings a token of that identity."
  value = {
    for name, client_id in var.identities : name =>
    "mongodb+srv://${client_id}@${azurerm_mongo_cluster.this.name}.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=MONGODB-OIDC&retrywrites=false&maxIdleTimeMS=120000"
  }
}
