module "registry" {
  source = "../modules/acr"

  name                    = var.acr_name
  resource_group_name     = var.resource_group_name
  location                = var.location
  tags                    = module.names.tags
  sku                     = var.registry.sku
  zone_redundancy_enabled = var.registry.zone_redundancy_enabled
  untagged_retention_days = var.registry.untagged_retention_days

  lock_enabled    = contains(var.data_protection.locks, "registry")
  prevent_destroy = var.data_protection.prevent_destroy

  customer_managed_key = one([
    for identity in module.encryption_identity :
    { key_id = var.customer_managed_key.key_id, identity_id = identity.id, identity_client_id = identity.client_id }
  ])

  network = {
    access   = var.deployer_access
    ip_rules = var.deployer_ip_rules
  }

  # The registry is created encrypted, so its identity has to be able to use the key by then.
  depends_on = [module.encryption_role]
}

module "registry_endpoint" {
  source   = "../modules/private-endpoint"
  for_each = var.registry.sku == "Premium" ? { this = {} } : {}

  name                 = module.names.private_endpoints.registry
  resource_group_name  = var.resource_group_name
  location             = var.location
  tags                 = module.names.tags
  subnet_id            = local._subnet_ids.endpoints
  private_dns_zone_ids = [local._private_dns_zone_ids.registry]

  target = {
    resource_id = module.registry.id
    subresource = "registry"
  }
}
