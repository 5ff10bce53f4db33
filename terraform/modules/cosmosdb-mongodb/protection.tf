# Stops hands in the portal and every other tool. It does not stop this Terraform, which removes the lock first.
resource "azurerm_management_lock" "this" {
  for_each = var.lock_enabled ? { this = {} } : {}

  name       = "keep-data"
  scope      = azurerm_cosmosdb_account.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds the data that the MCP servers serve. Remove this lock deliberately."

  # Destroyed in reverse: the lock goes before what it would keep from going.
  depends_on = [azurerm_cosmosdb_mongo_database.this, azurerm_cosmosdb_mongo_collection.this]
}

locals {
  _kept = merge(
    { account = azurerm_cosmosdb_account.this.id },
    { for name, database in azurerm_cosmosdb_mongo_database.this : "database/${name}" => database.id },
    { for name, collection in azurerm_cosmosdb_mongo_collection.this : "collection/${name}" => collection.id },
  )
}

# Stops this Terraform: prevent_destroy has to be a literal, so it stands on a stand-in that exists or not, by value. Whatever
# deletes or replaces the account, a database or a collection changes an id, and with it one of these, which refuses. One
# for each: a new collection adds one and changes none.
resource "terraform_data" "keep" {
  for_each = var.prevent_destroy ? local._kept : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}
