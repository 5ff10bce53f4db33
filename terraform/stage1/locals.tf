locals {
  tags = merge(var.tags, { deployment = var.name, environment = var.environment })

  _is_premium_registry = var.registry.sku == "Premium"

  # "<server>-<tier>" => what the identity is for
  _server_tiers = merge([
    for server_name, server in var.mcp_servers : {
      for tier_name in keys(server.tiers) : "${server_name}-${tier_name}" => { server = server_name, tier = tier_name }
    }
  ]...)
}

data "azurerm_client_config" "current" {}
