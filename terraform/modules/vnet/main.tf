# What Azure writes into a delegation by itself; another word would differ in every plan.
locals {
  _delegated_actions = {
    "Microsoft.App/environments"                  = "Microsoft.Network/virtualNetworks/subnets/join/action"
    "Microsoft.ContainerInstance/containerGroups" = "Microsoft.Network/virtualNetworks/subnets/action"
    "Microsoft.DevOpsInfrastructure/pools"        = "Microsoft.Network/virtualNetworks/subnets/join/action"
    "Microsoft.Web/hostingEnvironments"           = "Microsoft.Network/virtualNetworks/subnets/action"
    "Microsoft.Web/serverFarms"                   = "Microsoft.Network/virtualNetworks/subnets/action"
  }
}

resource "azurerm_virtual_network" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = var.address_space
  tags                = var.tags
}

resource "azurerm_subnet" "this" {
  #checkov:skip=CKV2_AZURE_31: every subnet has its group, which CKV_MCP_45 sees in the plan; this check cannot follow for_each

  for_each = var.subnets

  name                 = coalesce(each.value.name, "snet-${each.key}")
  resource_group_name  = var.resource_group_name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.value.address_prefix]

  # Azure's implicit outbound address is unowned, unlogged and being retired: what needs to get out says so.
  default_outbound_access_enabled = each.value.default_outbound_access_enabled
  # Private endpoints ignore security groups unless their subnet says otherwise.
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled"

  dynamic "delegation" {
    for_each = each.value.delegation == null ? [] : [each.value.delegation]
    content {
      name = "delegation"

      service_delegation {
        name    = delegation.value
        actions = [local._delegated_actions[delegation.value]]
      }
    }
  }

  # A replaced network is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_virtual_network.this.id]
  }
}
