locals {
  _nat_subnets = { for name, subnet in var.subnets : name => subnet if subnet.nat_gateway }
  _nat_gateway = length(local._nat_subnets) > 0 ? { this = {} } : {}
  _nat_zones   = var.nat_gateway.zone == null ? null : [var.nat_gateway.zone]
}

resource "azurerm_public_ip" "nat" {
  for_each = local._nat_gateway

  name                = coalesce(var.nat_gateway.address_name, "pip-${var.name}-nat")
  resource_group_name = var.resource_group_name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  zones               = local._nat_zones
  tags                = var.tags
}

resource "azurerm_nat_gateway" "this" {
  for_each = local._nat_gateway

  name                = coalesce(var.nat_gateway.name, "ng-${var.name}")
  resource_group_name = var.resource_group_name
  location            = var.location
  sku_name            = "Standard"
  zones               = local._nat_zones
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "this" {
  for_each = local._nat_gateway

  nat_gateway_id       = azurerm_nat_gateway.this[each.key].id
  public_ip_address_id = azurerm_public_ip.nat[each.key].id
}

resource "azurerm_subnet_nat_gateway_association" "this" {
  for_each = local._nat_subnets

  subnet_id      = azurerm_subnet.this[each.key].id
  nat_gateway_id = azurerm_nat_gateway.this["this"].id
}
