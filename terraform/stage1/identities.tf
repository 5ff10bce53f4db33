# The gateway signs in to the servers as this one, and has no role in Azure.
module "gateway_identity" {
  source = "../modules/managed-identity"

  name                = module.names.identities.gateway
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
}

# One identity per tier, so that what a reader's container may do never grows with what an administrator's needs.
module "server_identities" {
  source   = "../modules/managed-identity"
  for_each = module.names.tiers

  name                = each.value.identity_name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = merge(module.names.tags, { server = each.value.server, tier = each.value.tier })
}

# Registered as DocumentDB's administrator; the job that makes the tiers' identities users of the database runs as this one.
module "database_identity" {
  source   = "../modules/managed-identity"
  for_each = local.has_documentdb ? { this = {} } : {}

  name                = module.names.identities.database
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
}

# Database and registry read the customer-managed key as this one, and do nothing else with it.
module "encryption_identity" {
  source   = "../modules/managed-identity"
  for_each = var.customer_managed_key == null ? {} : { this = {} }

  name                = module.names.identities.encryption
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
}
