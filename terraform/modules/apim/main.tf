locals {
  # Another zone is another address, and the service lets the old one go only when it has the new one: both exist for a
  # while, so their names differ.
  _address_name = join("-", concat([var.name], var.zones == null ? [] : ["z${join("", sort(var.zones))}"]))
}

resource "azurerm_public_ip" "this" {
  # A v2 tier has an address of Azure's own.
  for_each = var.network.exposure == "public" && !strcontains(var.sku_name, "V2_") ? { this = {} } : {}

  name                = "pip-${local._address_name}"
  location            = var.location
  resource_group_name = var.resource_group_name
  allocation_method   = "Static"
  sku                 = "Standard"
  # API Management's classic tiers want a labelled address of their own.
  domain_name_label = local._address_name
  zones             = var.zones
  tags              = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "azurerm_api_management" "this" {
  #checkov:skip=CKV_AZURE_174: callers come from the internet unless network.exposure is internal; Azure refuses to create a gateway in a virtual network with this off
  name                = var.name
  location            = var.location
  resource_group_name = var.resource_group_name
  publisher_name      = var.publisher.name
  publisher_email     = var.publisher.email
  sku_name            = var.sku_name
  zones               = var.zones
  tags                = var.tags

  # Of a v2 tier, External is integration (outbound calls only go through the subnet) and Internal is injection.
  virtual_network_type = var.network.exposure == "public" ? "External" : "Internal"
  public_ip_address_id = one(values(azurerm_public_ip.this)[*].id)

  virtual_network_configuration {
    subnet_id = var.network.subnet_id
  }

  identity {
    # The servers know the user-assigned one. The other one is for a Key Vault with a firewall, which admits no other; it is
    # there from the start, because an update that adds it does not know its object id when it is planned.
    type         = "SystemAssigned, UserAssigned"
    identity_ids = [var.identity.id]
  }

  protocols {
    http2_enabled = true
  }

  # TLS 1.2 and up, no CBC or 3DES: every switch is off by default in azurerm 5 and stays off here on purpose.
  security {
    triple_des_ciphers_enabled = false
  }
}

resource "azurerm_api_management_policy" "global" {
  api_management_id = azurerm_api_management.this.id
  xml_content       = templatefile("${path.module}/policies/global.xml.tftpl", {})
}
