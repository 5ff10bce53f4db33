# On dev: the gateway in the StandardV2 tier: there in minutes, public, its calls to the servers through a delegated subnet.

name                = "mcp-sv2"
acr_name            = "acrmcpsv2"
key_vault_name      = "keyvault-mcp-sv2"
cosmos_account_name = "cosmos-mcp-sv2"
# Not every region takes new v2 gateways at every time: "Availability of v2 tiers and workspace gateways".
location = "northeurope"

apim = {
  sku_name        = "StandardV2_1"
  publisher_name  = "Platform team"
  publisher_email = "platform@example.com"
}
