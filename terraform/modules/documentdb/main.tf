resource "azurerm_mongo_cluster" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags

  # Tokens of Entra ID and nothing else: no administrator with a password, so no key that could be in a state. Microsoft's page
  # on Entra ID (2026-02-04) says that a cluster is made with native authentication; its own template for users makes one
  # without (azure-quickstart-templates), and azurerm allows it. `invoke verify` asks Azure.
  authentication_methods = ["MicrosoftEntraID"]

  # Reached through its private endpoint and in no other way, in every environment.
  public_network_access = "Disabled"

  version                = var.server_version
  compute_tier           = var.compute_tier
  storage_size_in_gb     = var.storage_gb
  high_availability_mode = var.high_availability ? "ZoneRedundantPreferred" : "Disabled"

  # Another number is another cluster for azurerm; below M30 there is no other.
  shard_count = 1

  dynamic "customer_managed_key" {
    for_each = var.customer_managed_key[*]
    content {
      key_vault_key_id          = customer_managed_key.value.key_id
      user_assigned_identity_id = customer_managed_key.value.identity_id
    }
  }

  dynamic "identity" {
    for_each = var.customer_managed_key[*]
    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.identity_id]
    }
  }
}

# Azure registers administrators only: the role is always root. Everybody else is made in the database, by one of these.
resource "azurerm_mongo_cluster_user" "administrator" {
  for_each = var.administrators

  mongo_cluster_id       = azurerm_mongo_cluster.this.id
  object_id              = each.value
  identity_provider_type = "MicrosoftEntraID"
  principal_type         = "servicePrincipal"

  role {
    database = "admin"
    name     = "root"
  }
}
