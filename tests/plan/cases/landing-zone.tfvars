# On prod: network and DNS zones belong to a landing zone, and the gateway is reached from inside only; users may not consent, and clients are known by their documents only.

name                = "mcp-zone"
acr_name            = "acrmcpzone"
key_vault_name      = "keyvault-mcp-zone"
cosmos_account_name = "cosmos-mcp-zone"
gateway_exposure    = "internal"

network = {
  existing = {
    virtual_network_id   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke"
    apim_subnet_id       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/apim"
    containers_subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/containers"
    endpoints_subnet_id  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/endpoints"
  }
  existing_private_dns_zone_ids = {
    servers  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/mcp.corp.internal"
    cosmos   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/privatelink.mongo.cosmos.azure.com"
    vault    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"
    gateway  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/example.com"
    registry = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
  }
}

apim = {
  sku_name        = "Premium_1"
  publisher_name  = "Platform team"
  publisher_email = "platform@example.com"
  custom_domain = {
    host_name                = "mcp.example.com"
    key_vault_certificate_id = "https://keyvault-mcp-zone.vault.azure.net/secrets/mcp-example-com"
  }
}

grant_sign_in_consent = true
client_registration   = { dynamic = false }
