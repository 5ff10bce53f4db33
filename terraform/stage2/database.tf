module "database" {
  source   = "../modules/cosmosdb-mongodb"
  for_each = local.has_cosmos ? { this = {} } : {}

  name                = var.cosmos_account_name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
  server_version      = var.cosmos.server_version
  throughput_mode     = var.cosmos.throughput_mode
  free_tier_enabled   = var.cosmos.free_tier_enabled
  zone_redundant      = var.cosmos.zone_redundant
  backup              = var.cosmos.backup
  databases           = var.cosmos.databases
  lock_enabled        = contains(var.data_protection.locks, "database")
  prevent_destroy     = var.data_protection.prevent_destroy

  customer_managed_key = one([
    for identity in data.azurerm_user_assigned_identity.encryption :
    { key_id = var.customer_managed_key.key_id, identity_id = identity.id }
  ])
}

module "database_endpoint" {
  source   = "../modules/private-endpoint"
  for_each = local.has_cosmos ? { this = {} } : {}

  name                 = module.names.private_endpoints.cosmos
  resource_group_name  = var.resource_group_name
  location             = var.location
  tags                 = module.names.tags
  subnet_id            = local._subnet_ids.endpoints
  private_dns_zone_ids = [local._private_dns_zone_ids.cosmos]

  target = {
    resource_id = module.database["this"].id
    subresource = "MongoDB"
  }
}

# For people and jobs that need the database without a server in between. The servers get theirs in servers.tf.
resource "azurerm_key_vault_secret" "connection_strings" {
  for_each = toset(local.has_cosmos ? ["read-write-primary", "read-write-secondary", "read-only-primary", "read-only-secondary"] : [])

  name            = "cosmos-${each.key}"
  key_vault_id    = data.azurerm_key_vault.stage1.id
  value           = module.database["this"].connection_strings[each.key]
  content_type    = "MongoDB connection string (${each.key})"
  expiration_date = var.cosmos.keys_expire_on
  tags            = module.names.tags
}
