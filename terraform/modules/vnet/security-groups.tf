locals {
  _rules = merge([
    for subnet, settings in var.subnets : {
      for name, rule in settings.rules : "${subnet}/${name}" => merge(rule, { subnet = subnet, name = name })
    }
  ]...)
}

resource "azurerm_network_security_group" "this" {
  for_each = var.subnets

  name                = coalesce(each.value.security_group, "nsg-${var.name}-${each.key}")
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

# Rules are resources of their own, so that a plan shows one rule changing and not a set of twelve being rewritten.
resource "azurerm_network_security_rule" "this" {
  for_each = local._rules

  name                = each.value.name
  resource_group_name = var.resource_group_name
  # From the id, which a replaced group has yet to get: its rules are made anew with it.
  network_security_group_name = split("/", azurerm_network_security_group.this[each.value.subnet].id)[8]
  description                 = each.value.description

  priority  = each.value.priority
  direction = each.value.direction
  access    = each.value.access
  protocol  = each.value.protocol

  source_address_prefix      = each.value.source
  source_port_range          = "*"
  destination_address_prefix = each.value.destination
  # Azure takes "*" only in the singular form and a list only in the plural one.
  destination_port_range  = contains(each.value.ports, "*") ? "*" : null
  destination_port_ranges = contains(each.value.ports, "*") ? null : each.value.ports
}

resource "azurerm_subnet_network_security_group_association" "this" {
  for_each = var.subnets

  subnet_id                 = azurerm_subnet.this[each.key].id
  network_security_group_id = azurerm_network_security_group.this[each.key].id

  # A group without its rules lets the whole network in: attach it when it is complete.
  depends_on = [azurerm_network_security_rule.this]
}
