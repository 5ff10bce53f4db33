module "key_vault" {
  source = "../modules/key-vault"

  name                       = var.key_vault_name
  resource_group_name        = var.resource_group_name
  location                   = var.location
  tags                       = module.names.tags
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = var.key_vault.sku_name
  soft_delete_retention_days = var.key_vault.soft_delete_retention_days

  lock_enabled    = contains(var.data_protection.locks, "key_vault")
  prevent_destroy = var.data_protection.prevent_destroy

  network = {
    access   = var.deployer_access
    ip_rules = var.deployer_ip_rules
  }
}

module "key_vault_endpoint" {
  source = "../modules/private-endpoint"

  name                 = module.names.private_endpoints.vault
  resource_group_name  = var.resource_group_name
  location             = var.location
  tags                 = module.names.tags
  subnet_id            = local._subnet_ids.endpoints
  private_dns_zone_ids = [local._private_dns_zone_ids.vault]

  target = {
    resource_id = module.key_vault.id
    subresource = "vault"
  }
}
