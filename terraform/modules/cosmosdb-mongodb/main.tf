locals {
  _is_serverless = var.throughput_mode == "serverless"
  _capabilities  = concat(["EnableMongo"], local._is_serverless ? ["EnableServerless"] : [])
}

resource "azurerm_cosmosdb_account" "this" {
  #checkov:skip=CKV_AZURE_100: encrypted at rest with Microsoft's keys; customer_managed_key adds one's own, before the account exists

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
  # What stands in their place: no public address, keys in Key Vault only, read-only ones for readers, and rotation.
  local_authentication_enabled       = true
  access_key_metadata_writes_enabled = false

  automatic_failover_enabled = false

  # Versionless, so that a rotated key is taken up. The account's own identity cannot be the one that reads the key: it
  # does not exist yet when the key is needed, and continuous backup accepts a user-assigned one only.
  key_vault_key_id      = one(var.customer_managed_key[*].key_id)
  default_identity_type = var.customer_managed_key == null ? null : "UserAssignedIdentity=${var.customer_managed_key.identity_id}"

  dynamic "identity" {
    for_each = var.customer_managed_key[*]
    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.identity_id]
    }
  }

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
    tier                = var.backup.type == "Continuous" ? coalesce(var.backup.tier, "Continuous7Days") : null
    interval_in_minutes = var.backup.type == "Periodic" ? coalesce(var.backup.interval_in_minutes, 240) : null
    retention_in_hours  = var.backup.type == "Periodic" ? coalesce(var.backup.retention_in_hours, 8) : null
    storage_redundancy  = var.backup.type == "Periodic" ? coalesce(var.backup.storage_redundancy, "Local") : null
  }
}
