# On prod: the gateway in the PremiumV2 tier, injected into the network: clients reach it from inside only, by a domain of its own.

name                = "mcp-pv2"
acr_name            = "acrmcppv2"
key_vault_name      = "keyvault-mcp-pv2"
cosmos_account_name = "cosmos-mcp-pv2"
gateway_exposure    = "internal"
# Not every region takes new v2 gateways at every time: "Availability of v2 tiers and workspace gateways".
location = "germanywestcentral"

network = {
  subnets          = { apim = "10.60.0.128/25", endpoints = "10.60.0.64/26", containers = "10.60.1.0/24" }
  nat_gateway_zone = "1"
}

apim = {
  sku_name        = "PremiumV2_3"
  publisher_name  = "Platform team"
  publisher_email = "platform@example.com"
  custom_domain = {
    host_name                = "mcp.example.com"
    key_vault_certificate_id = "https://keyvault-mcp-pv2.vault.azure.net/secrets/mcp-example-com"
  }
}
