locals {
  _is_serverless = var.throughput_mode == "serverless"
  _capabilities  = concat(["EnableMongo"], local._is_serverless ? ["EnableServerless"] : [])
}

resource "azurerm_cosmosdb_account" "this" {
  #checkov:skip=CKV_AZURE_100: encrypted at rest with Microsoft's keys; a key of one's own has to be decided before the account exists

  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  offer_type          = "Standard"
  kind                = "MongoDB"
  tags                = var.tags

  mongo_server_version = var.server_version
  free_tier_enabled    = var.free_tier_enabled
  minimal_tls_version  = "Tls12"

  # Reached through its private endpoint and in no other way, in every environment.
  public_network_access_enabled         = false
  network_acl_bypass_for_azure_services = false

  # The MongoDB protocol signs in with the account's keys: switching these off (it is meant for the SQL API) locks
  # every client out. What keys must not do is change databases, collections and throughput, which Terraform owns.
  local_authentication_enabled       = true
  access_key_metadata_writes_enabled = false

  automatic_failover_enabled = false

  # Without EnableMongo the account is created, and answers no MongoDB client.
  dynamic "capabilities" {
    for_each = toset(local._capabilities)
    content {
      name = capabilities.value
    }
  }

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = var.location
    failover_priority = 0
    zone_redundant    = var.zone_redundant
  }

  backup {
    type                = var.backup.type
    tier                = var.backup.type == "Continuous" ? var.backup.tier : null
    interval_in_minutes = var.backup.type == "Periodic" ? var.backup.interval_in_minutes : null
    retention_in_hours  = var.backup.type == "Periodic" ? var.backup.retention_in_hours : null
    storage_redundancy  = var.backup.type == "Periodic" ? var.backup.storage_redundancy : null
  }
}

# Stops hands in the portal and every other tool. It does not stop this Terraform, which removes the lock first: a plan
# that deletes or replaces the account has to be caught where plans are reviewed.
resource "azurerm_management_lock" "this" {
  for_each = var.lock_enabled ? { this = {} } : {}

  name       = "keep-data"
  scope      = azurerm_cosmosdb_account.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds the data that the MCP servers serve. Remove this lock deliberately."
}
