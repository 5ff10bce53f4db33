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

resource "azurerm_subnet" "pass_closed" {
  name                 = "snet-closed"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.1.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "closed" {
  name                = "nsg-closed"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.0/24"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "8000"
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

resource "azurerm_subnet_network_security_group_association" "closed" {
  subnet_id                 = azurerm_subnet.pass_closed.id
  network_security_group_id = azurerm_network_security_group.closed.id
}

resource "azurerm_subnet" "fail_no_deny" {
  name                 = "snet-no-deny"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.2.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "no_deny" {
  name                = "nsg-no-deny"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.0/24"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "8000"
  }
}

resource "azurerm_subnet_network_security_group_association" "no_deny" {
  subnet_id                 = azurerm_subnet.fail_no_deny.id
  network_security_group_id = azurerm_network_security_group.no_deny.id
}

resource "azurerm_subnet" "fail_whole_network" {
  name                 = "snet-whole-network"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.3.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "whole_network" {
  name                = "nsg-whole-network"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "VirtualNetwork"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "8000"
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

resource "azurerm_subnet_network_security_group_association" "whole_network" {
  subnet_id                 = azurerm_subnet.fail_whole_network.id
  network_security_group_id = azurerm_network_security_group.whole_network.id
}

resource "azurerm_subnet" "fail_other_subnet" {
  name                 = "snet-other-subnet"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.4.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "other_subnet" {
  name                = "nsg-other-subnet"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.9.0/24"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "8000"
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

resource "azurerm_subnet_network_security_group_association" "other_subnet" {
  subnet_id                 = azurerm_subnet.fail_other_subnet.id
  network_security_group_id = azurerm_network_security_group.other_subnet.id
}

resource "azurerm_subnet" "fail_every_port" {
  name                 = "snet-every-port"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.5.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "every_port" {
  name                = "nsg-every-port"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.0/24"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
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

resource "azurerm_subnet_network_security_group_association" "every_port" {
  subnet_id                 = azurerm_subnet.fail_every_port.id
  network_security_group_id = azurerm_network_security_group.every_port.id
}

resource "azurerm_subnet" "fail_no_group" {
  name                 = "snet-no-group"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.6.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "no_group" {
  name                = "nsg-no-group"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.0/24"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "8000"
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

resource "azurerm_subnet" "fail_extra_rule" {
  name                 = "snet-extra-rule"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.7.0/24"]

  delegation {
    name = "delegation"

    service_delegation {
      name = "Microsoft.ContainerInstance/containerGroups"
    }
  }
}

resource "azurerm_network_security_group" "extra_rule" {
  name                = "nsg-extra-rule"
  resource_group_name = "rg"
  location            = "uksouth"

  security_rule {
    name                       = "gateway"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.0/24"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "8000"
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

resource "azurerm_subnet_network_security_group_association" "extra_rule" {
  subnet_id                 = azurerm_subnet.fail_extra_rule.id
  network_security_group_id = azurerm_network_security_group.extra_rule.id
}

resource "azurerm_network_security_rule" "extra" {
  name                        = "extra"
  resource_group_name         = "rg"
  network_security_group_name = azurerm_network_security_group.extra_rule.name
  priority                    = 200
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_address_prefix       = "Internet"
  source_port_range           = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "8000"
}
