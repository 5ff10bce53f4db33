# Subnets of containers, each with a group of its own that differs in one thing from the group that the rule wants.
locals {
  subnets = {
    pass_closed        = {}
    fail_no_deny       = { denied = false }
    fail_whole_network = { source = "VirtualNetwork" }
    fail_other_subnet  = { source = "10.0.9.0/24" }
    fail_every_port    = { port = "*" }
    fail_no_group      = { joined = false }
    fail_extra_rule    = {}
  }

  # An environment of apps lets its own parts and the load balancer in too.
  apps = {
    pass_apps           = ["10.0.0.0/24", "AzureLoadBalancer", "10.0.20.0/24"]
    fail_apps_whole     = ["10.0.0.0/24", "VirtualNetwork"]
    fail_apps_neighbour = ["10.0.0.0/24", "10.0.1.0/24"]
  }
}

resource "azurerm_virtual_network" "this" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "uksouth"
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "pass_gateway" {
  name                 = "snet-apim"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.0.0/24"]
}

resource "azurerm_subnet" "containers" {
  for_each             = local.subnets
  name                 = each.key
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.${1 + index(keys(local.subnets), each.key)}.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "containers" {
  for_each            = local.subnets
  name                = each.key
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = try(each.value.source, "10.0.0.0/24")
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = try(each.value.port, "8000")
  }

  dynamic "security_rule" {
    for_each = try(each.value.denied, true) ? ["deny"] : []

    content {
      name                       = security_rule.value
      priority                   = 4096
      direction                  = "Inbound"
      access                     = "Deny"
      protocol                   = "*"
      source_address_prefix      = "*"
      source_port_range          = "*"
      destination_address_prefix = "*"
      destination_port_range     = "*"
    }
  }
}

resource "azurerm_subnet_network_security_group_association" "containers" {
  for_each                  = { for name, differs in local.subnets : name => differs if try(differs.joined, true) }
  subnet_id                 = azurerm_subnet.containers[each.key].id
  network_security_group_id = azurerm_network_security_group.containers[each.key].id
}

resource "azurerm_network_security_rule" "extra" {
  name                        = "extra"
  resource_group_name         = "rg"
  network_security_group_name = azurerm_network_security_group.containers["fail_extra_rule"].name
  priority                    = 200
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_address_prefix       = "Internet"
  source_port_range           = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "8000"
}

resource "azurerm_subnet" "apps" {
  for_each             = local.apps
  name                 = each.key
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.key == "pass_apps" ? "10.0.20.0/24" : "10.0.${21 + index(keys(local.apps), each.key)}.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.App/environments"
    }
  }
}

resource "azurerm_network_security_group" "apps" {
  for_each            = local.apps
  name                = each.key
  resource_group_name = "rg"
  location            = "uksouth"

  dynamic "security_rule" {
    for_each = each.value

    content {
      name                       = "allow-${security_rule.key}"
      priority                   = 100 + security_rule.key
      direction                  = "Inbound"
      access                     = "Allow"
      protocol                   = "Tcp"
      source_address_prefix      = security_rule.value
      source_port_range          = "*"
      destination_address_prefix = "*"
      destination_port_range     = "443"
    }
  }

  security_rule {
    name                       = "deny"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "apps" {
  for_each                  = local.apps
  subnet_id                 = azurerm_subnet.apps[each.key].id
  network_security_group_id = azurerm_network_security_group.apps[each.key].id
}
