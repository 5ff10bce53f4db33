# Stops hands in the portal and every other tool. It does not stop this Terraform, which removes the lock first.
resource "azurerm_management_lock" "this" {
  for_each = var.lock_enabled ? { this = {} } : {}

  name       = "keep-data"
  scope      = azurerm_mongo_cluster.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds the data that the MCP servers serve. Remove this lock deliberately."

  # Destroyed in reverse: the lock goes before what it would keep from going.
  depends_on = [azurerm_mongo_cluster_user.administrator]
}

# Stops this Terraform: see modules/cosmosdb-mongodb/protection.tf. Whatever deletes or replaces the cluster changes its id.
resource "terraform_data" "keep" {
  for_each = var.prevent_destroy ? { cluster = azurerm_mongo_cluster.this.id } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}
