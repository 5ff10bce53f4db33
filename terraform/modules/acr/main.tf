locals {
  _is_premium = var.sku == "Premium"
}

resource "azurerm_container_registry" "this" {
  #checkov:skip=CKV_AZURE_163: scanning is Defender for Containers, switched on for the subscription, not for one registry
  #checkov:skip=CKV_AZURE_164: content trust is retired by Docker and gone from azurerm 5; deployments pull by digest instead
  #checkov:skip=CKV_AZURE_165: the platform runs in one region; a second registry region would serve nobody
  #checkov:skip=CKV_AZURE_166: quarantine needs a scanner that releases images, which the platform does not bring
  #checkov:skip=CKV_AZURE_139: deployer_access decides, and CKV_MCP_35 holds the plan to it; only Premium can close, and prod is Premium
  #checkov:skip=CKV_AZURE_237: data endpoints need the Premium tier, where they are on
  #checkov:skip=CKV_AZURE_233: registry.zone_redundancy_enabled decides, because zones need the Premium tier; prod has them

  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  sku                 = var.sku
  tags                = var.tags

  # Pull and push are Entra identities only: no shared password exists that could leak.
  admin_enabled          = false
  anonymous_pull_enabled = false

  public_network_access_enabled = var.network.access != "private"
  # Container Instances pull by identity as a trusted Azure service; without this a closed registry answers them 403.
  network_rule_bypass_option = "AzureServices"
  # Where nobody reaches the registry from outside, nobody copies images out of it either.
  export_policy_enabled    = var.network.access != "private"
  data_endpoint_enabled    = local._is_premium ? true : null
  retention_policy_in_days = local._is_premium ? var.untagged_retention_days : null
  zone_redundancy_enabled  = var.zone_redundancy_enabled

  encryption = [
    for key in var.customer_managed_key[*] : { key_vault_key_id = key.key_id, identity_client_id = key.identity_client_id }
  ]

  dynamic "identity" {
    # Only for the key: pulls and pushes are other identities'.
    for_each = var.customer_managed_key[*]
    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.identity_id]
    }
  }

  dynamic "network_rule_set" {
    # Only Premium has a firewall: Azure refuses rules on the other tiers.
    for_each = local._is_premium && var.network.access == "allow-list" ? [1] : []
    content {
      default_action = "Deny"

      dynamic "ip_rule" {
        for_each = var.network.ip_rules
        content {
          action   = "Allow"
          ip_range = ip_rule.value
        }
      }
    }
  }
}
