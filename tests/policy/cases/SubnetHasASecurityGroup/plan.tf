resource "azurerm_virtual_network" "this" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "uksouth"
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "pass_with" {
  name                 = "snet-with"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.0.0/24"]
}

resource "azurerm_subnet" "fail_without" {
  name                 = "snet-without"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.1.0/24"]
}

resource "azurerm_network_security_group" "this" {
  name                = "nsg"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_subnet_network_security_group_association" "this" {
  subnet_id                 = azurerm_subnet.pass_with.id
  network_security_group_id = azurerm_network_security_group.this.id
}
